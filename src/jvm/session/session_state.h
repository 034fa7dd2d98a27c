/* What a session does and what it shows, and how that is counted: smolder_sessions{state}, smolder_attach_seconds,
 * smolder_gap_seconds.
 */
#pragma once

#include <stdint.h>

#include "jvm/probe/reason.h"

enum session_phase { PHASE_IDLE, PHASE_STARTING, PHASE_PROFILING, PHASE_STOPPING, PHASE_GONE };

/* The state it shows in a phase, with the reason for what is missing or "". */
enum jvm_state session_state_of(enum session_phase phase, const char *reason);

/* A session has that state from now on, or no longer. */
void session_state_enter(enum jvm_state state);
void session_state_leave(enum jvm_state state);
/* In nanoseconds: an attach; the most that a roll-over went without samples. */
void session_state_attached(int64_t took);
void session_state_gap(int64_t most);
