/* Names that differ from run to run made equal, so that a flame graph over many processes is one.
 *
 * The JVM numbers generated classes (lambdas, reflection accessors, Spring proxies), and some libraries unpack their
 * native code under a random name. Applied to each class and method symbol as a whole. The rules are those of the
 * reference converter, whose frames ours must merge with: spec jfr-asprof §3.5.
 */
#pragma once

#include "base/str.h"

struct stable_name {
    struct str head;  /* a part of the symbol, or a static string */
    const char *tail; /* "_" in place of what was cut off, else "" */
};

struct stable_name stable_name(struct str symbol);
