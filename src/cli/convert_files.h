/* Expands the inputs of `smolder convert`: files, directories, and quoted glob patterns. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct file_list {
    char **items; /* owned */
    bool *found;  /* of each: not named, but in a directory or by a pattern; NULL = none is; owned */
    size_t len, cap, found_cap;
};

/* A directory stands for the recordings directly in it (*.jfr, *.jfr.gz and other packed ones), by name; a pattern
 * (glob(7)) that is no file for what it matches; "-" for standard input, once. The error says which argument leads
 * nowhere. */
must_check int files_expand(const char *const *args, size_t n, struct file_list *ret, struct err *err);
static inline bool file_list_is_found(const struct file_list *l, size_t i)
{
    return l->found && l->found[i];
}
void file_list_done(struct file_list *l);
#define cleanup_file_list __attribute__((cleanup(file_list_done)))
