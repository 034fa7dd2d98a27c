/* Reads configuration files: a file, or every *.alloy directly inside a directory, sorted by path. Several paths are one
 * configuration. Links are followed, those to directories included; of the entries of a directory, those that name no file in the
 * end (directories, links to nothing) are passed over. Source: spec alloy-language §6.11. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "graph/controller.h"

enum { CONFIG_MAX = 16 << 20 }; /* bytes of one file */

struct config_files {
    struct config_file *items; /* names and texts are owned */
    size_t len, cap;
};

/* A directory without *.alloy files is a valid, empty configuration. The error names the path and what to do. */
must_check int config_read(const char *const *paths, size_t n, struct config_files *ret, struct err *err);
/* Whether a directory's entry of that name is read. */
bool config_wanted(const char *name);
/* One file from memory, for the built-in configuration. */
void config_text(const char *name, const char *text, struct config_files *ret);
void config_files_done(struct config_files *files);
#define cleanup_config_files __attribute__((cleanup(config_files_done)))
