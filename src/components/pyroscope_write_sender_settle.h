/* What becomes of the profiles of a request: delivered, dropped, to be sent again, or to be changed first. */
#pragma once

#include "components/pyroscope_write_sender_state.h"

void sender_settle(struct flight *f, const struct push_outcome *o);
/* Profiles that are being split are dropped. */
void sender_cancel_fitting(struct sender *s);
