/* The files of a configuration: a file, or the *.alloy files of a directory, sorted by path. Several paths form one
 * configuration. Symlinks to files and directories are followed; directories and dangling symlinks in a directory are
 * ignored. Source: spec alloy-language §6.11.
 */
#pragma once

#include <stddef.h>

#include "base/config_file.h"
#include "base/err.h"

enum { CONF_FILE_MAX = 16 << 20 }; /* bytes of one file */
/* Which entries of a directory are read, for conf/watch.h. */
#define CONF_ENTRIES "*.alloy"

struct conf_files {
    struct config_file *items; /* names and texts are owned; each text is followed by a NUL */
    size_t len, cap;
};

/* A directory without *.alloy files is a valid, empty configuration. The error names the path and what to do. */
must_check int conf_files_read(const char *const *paths, size_t n, struct conf_files *ret, struct err *err);
/* One file from memory, for the built-in configuration. */
void conf_files_add_text(const char *name, const char *text, struct conf_files *files);
void conf_files_done(struct conf_files *files);
#define cleanup_conf_files __attribute__((cleanup(conf_files_done)))
