/* What one event adds to which profiles (events.h has the tables). */
#pragma once

#include "pprof/pass.h"

/* Adds what one event stands for to its profiles: in full, or under "[other]" where there is no room. */
void event_take(const struct pass *p, size_t class, const struct jfr_record *e);
/* How often an event counts: an idle thread's wall clock samples come in batches. */
int64_t event_count(size_t class, const struct jfr_record *e);
