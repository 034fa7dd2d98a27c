/* Walks over a chunk beside the one that takes the samples. They stop where something is no event; the main walk says
 * so. */
#pragma once

#include "pprof/pass.h"

/* Before it: the spans, what the JDK's recorder says of itself, and which events count where two types tell the
 * same. */
void side_walks_prepare(struct pass *p, struct layout *l);
/* After it: what of the native memory that it and the chunks before allocated still is. */
void side_walks_settle(struct pass *p, struct layout *l);
