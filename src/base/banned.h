/* Calls with a safer twin next door; force-included into every C file of the product by the build. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok atoi atol atof mktemp tmpnam
