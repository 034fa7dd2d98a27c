/* The ingest forwarder's use of its spool (pyroscope_write_spool.h): as the sender's, with bodies for profiles. */
#pragma once

#include "components/pyroscope_write_ingest_state.h"

enum { INGEST_MEMORY = 4 << 20 }; /* of what is on disk, so much waits in memory, too */

/* By the settings in force. */
void ingest_open_spool(struct ingest_endpoint *e);
void ingest_close_spool(struct ingest_endpoint *e);
/* Stores what waits for long, or all if the endpoint fails; lets go of what is stored and too much; takes what is
 * due. */
void ingest_spill(struct ingest_endpoint *e);
/* When ingest_spill() has something to do next: INT64_MAX = nothing. */
int64_t ingest_spill_due_ns(const struct ingest_endpoint *e);
/* The copy on disk of a body that leaves the memory; `keep` it, to be sent later. True: kept. */
bool ingest_forget_copy(struct ingest_endpoint *e, const struct ingest_item *i, bool keep);
