/* Normalises names that differ from run to run, so that stacks of many processes and days merge in a flame graph.
 *
 * The JVM and frameworks number what they generate (lambdas, proxies, accessors, scripts), native code is unpacked
 * under random names, pools number their threads. Each set of rules is one table of patterns (normalise.c); what a
 * pattern's variable parts match becomes `_`. A name is walked once, from left to right, and at each place tried
 * against the few rules that can begin there, so that the time is linear in its length.
 *
 * NORMALISE_REFERENCE is what the reference converter does (spec jfr-asprof §3.5), for comparisons with it;
 * NORMALISE_SYMBOLS has that and what it misses. Both are for class symbols as the JVM writes them (`/` between
 * packages), method names and libraries.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

enum name_rules { NORMALISE_REFERENCE, NORMALISE_SYMBOLS, NORMALISE_THREADS };

/* What one look at the bytes tells: nearly all names of classes and methods are plain ASCII that no rule of the first
 * two sets can match; in others one may; or there are bytes that are no ASCII. */
enum name_look { NAME_SIMPLE, NAME_ASCII, NAME_FOREIGN };
enum name_look name_look(struct str name);
/* True and the new name appended, or false and nothing: the name stays as it is. */
bool normalise(enum name_rules rules, struct str name, struct buf *out);
