/* Poisons functions that have a safer replacement in base; force-included into every C file by the build. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Under clang the C library's checked calls are macros. */
#undef sprintf
#undef vsprintf
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok atoi atol atof mktemp tmpnam
