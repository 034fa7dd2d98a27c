/* The token of --store.auth=token: a file in the data directory, made on first use, private to the user of the agent.
 * Agents on this host that push to the store name the file in bearer_token_file. */
#pragma once

#include "base/err.h"

/* DIR/store.token. To be freed. */
char *store_token_path(const char *dir);
/* Reads it, or makes one of 64 hexadecimal digits. `ret` is to be freed. An error names the file and the remedy. */
must_check int store_token_open(const char *dir, char **ret, struct err *err);
