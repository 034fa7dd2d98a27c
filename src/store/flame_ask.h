/* What a flame graph is asked for: how stacks become a tree, and which samples count. Sent as the beginning of the head
 * of an item, of bodies (store/flame_merge.h) as well as of blocks (store/block.h).
 */
#pragma once

#include "base/buf.h"
#include "base/map.h"
#include "pprof/symbols.h"
#include "store/frame_text.h"

struct flame_ask {
    bool lines;                       /* names of nodes are texts of store/frame_text.h */
    uint32_t nodes;                   /* of a tree, at most */
    const struct str *spans, *traces; /* ids in hex, lower case: of 16 and of 32 digits */
    size_t span_count, trace_count;   /* samples of these count alone; 0 = all */
};
void flame_ask_put(const struct flame_ask *ask, struct buf *out);

/* As it is sent: this, then the ids of spans and of traces. */
struct flame_how {
    uint32_t lines, nodes, span_count, trace_count;
};

/* ---- the parser process ---- */

/* What was asked, as read. The same for all items of a request. */
struct flame_filter {
    struct flame_how how;
    struct strmap ids; /* hex, borrowed from the head */
};
void flame_filter_done(struct flame_filter *f);
/* Cuts it off a head. False: there is none. */
must_check bool flame_filter_read(struct flame_filter *f, struct str *head);
/* Whether samples are selected by their ids at all. */
static inline bool flame_filter_by_id(const struct flame_filter *f)
{
    return f->how.span_count || f->how.trace_count;
}

/* The ids of spans and traces that a sample has as labels. */
enum { SAMPLE_IDS_MAX = 128 }; /* labels of a sample (pprof/decode.c) */
struct sample_id {
    bool trace;
    char hex[TRACE_ID_HEX]; /* lower case; of a span only SPAN_ID_HEX */
};
struct sample_ids {
    struct sample_id items[SAMPLE_IDS_MAX];
    size_t count;
};
static inline size_t sample_id_digits(const struct sample_id *id)
{
    return id->trace ? TRACE_ID_HEX : SPAN_ID_HEX;
}
/* As bytes: SPAN_ID_SIZE or TRACE_ID_SIZE. */
enum { SPAN_ID_SIZE = SPAN_ID_HEX / 2, TRACE_ID_SIZE = TRACE_ID_HEX / 2 };
void sample_id_bytes(const struct sample_id *id, uint8_t *out);
void sample_ids_of(const struct symbols *symbols, uint32_t label_set, struct sample_ids *ret);
/* Whether a sample with these ids counts. */
bool flame_filter_wants(const struct flame_filter *f, const struct sample_ids *ids);
