/* The configuration `smolder run` uses without a path: every HotSpot JVM, detected by its mapped libjvm, service_name
 * from its main class or jar, into the store at `store_url`.
 */
#pragma once

/* `token_file`: of the store's token; NULL = it needs none. To be freed. `smolder run --print-config` shows it. */
char *builtin_config(const char *store_url, const char *token_file);
#define BUILTIN_CONFIG_NAME "built-in configuration"
