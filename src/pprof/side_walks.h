/* Walks over a chunk in addition to the one that takes the samples. They stop at invalid events, which the main walk
 * reports. */
#pragma once

#include "pprof/pass.h"

/* Before it: the spans, what the JDK's recorder says of itself, and which events count where two types tell the
 * same. */
void side_walks_prepare(struct pass *p, struct layout *l);
/* After it: what of the native memory that it and the chunks before allocated still is. */
void side_walks_settle(struct pass *p, struct layout *l);
