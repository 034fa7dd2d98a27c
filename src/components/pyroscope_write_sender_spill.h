/* The sender's use of its spool (pyroscope_write_spool.h). */
#pragma once

#include "components/pyroscope_write_sender_state.h"

/* By the settings in force. */
void sender_open_spool(struct sender *s);
void sender_close_spool(struct sender *s);
/* Stores what waits for long, or all if the endpoint is down; lets go of what is stored and too much; takes what is
 * due. */
void sender_spill(struct sender *s);
/* When sender_spill() has something to do next: INT64_MAX = nothing. */
int64_t sender_spill_due_ns(const struct sender *s);
/* The copy on disk of a profile that was delivered or dropped; at shutdown it is kept. True: kept. */
bool sender_forget_copy(struct sender *s, const struct push_item *item, bool shutdown);
