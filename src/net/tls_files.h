/* Certificates and keys whose files may change while connections that were made with them are kept.
 *
 * libcurl reuses a connection if the names of these files are the same, and may keep authorities that it has read. So a
 * file that has changed since it was last asked for gets another name for the same file: "/etc/ca.pem" is
 * "/./etc/ca.pem" from then on. Connections by the old name end when they have been idle. Loop thread only.
 */
#pragma once

/* The path by which libcurl is to open the file, to be freed. Blocks as long as stat(2) does. */
char *tls_file_name(const char *path);
