/* The label set of an event: thread, class, and what Pyroscope's agent and async-profiler's spans say of it. */
#pragma once

#include "pprof/pass.h"

/* Where p->labelled; SYMBOLS_FULL where there is no room, or there are too many of them. */
uint32_t labels_of_event(const struct pass *p, const struct event_class *class, const struct jfr_record *e);
