/* Lets go of pages of code and constants that are not in use.
 *
 * A program start touches much of its libraries once: symbol tables for relocations, initialisers. Those pages stay
 * mapped, and count as resident, until the process ends. They are clean copies of files which the kernel has in its
 * cache, so unmapping them loses nothing: what is needed again comes back with a fault per 64 KiB.
 */
#pragma once

#include <stdbool.h>

/* Of all loaded objects that `wanted` returns true for, by path ("" = the program itself); NULL: all. Others are not
 * even looked at. Any thread. */
void code_pages_release(bool (*wanted)(const char *path));
