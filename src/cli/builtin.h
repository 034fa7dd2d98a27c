/* The configuration that `smolder run` uses when no path is given: every HotSpot JVM, found by its mapped libjvm whatever its
 * executable is called, service_name from its main class or jar, into the store at `store_url`.
 */
#pragma once

/* To be freed. `smolder run --print-config` shows it. */
char *builtin_config(const char *store_url);
#define BUILTIN_CONFIG_NAME "built-in configuration"
