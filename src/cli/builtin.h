/* The configuration `smolder run` uses without a path: every HotSpot JVM, detected by its mapped libjvm, service_name
 * from its main class or jar, into the store at `store_url`.
 */
#pragma once

/* To be freed. `smolder run --print-config` shows it. */
char *builtin_config(const char *store_url);
#define BUILTIN_CONFIG_NAME "built-in configuration"
