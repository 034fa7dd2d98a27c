/* The options `detector` and `poll_frequency` of components that follow a file (conf/follow.h). */
#pragma once

#include "lang/option.h"

enum detector { DETECTOR_EVENTS, DETECTOR_POLL };
enum { DETECTOR_QUIET_MS = 30 }; /* after an event, as in the reference */
extern const struct option_words detector_words;
