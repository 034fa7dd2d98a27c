/* SHA-1 (FIPS 180-4), as a name for a file's content in the documented layout; no security rests on it. */
#pragma once

#include <stddef.h>

enum { SHA1_HEX_SIZE = 41 };

/* 40 lower hexadecimal digits and a NUL. */
void sha1_hex(const void *p, size_t n, char ret[SHA1_HEX_SIZE]);
