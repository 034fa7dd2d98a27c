/* The flame graph that a question is about: merged, and as it is to be shown. To be called in the store's worker. */
#pragma once

#include "api/page/page_call.h"

enum page_names {
    PAGE_FUNCTIONS, /* nodes are functions; with `lines` of the call, lines of functions */
    PAGE_FRAMES,    /* names are texts of store/frame_text.h */
};

/* Of one side. `f` is uninitialised, and the caller's to free on success; finished. */
must_check int page_tree(struct page_call *q, struct store_reader *r, size_t side, enum page_names names,
                         struct flame *f, struct store_span *span);
/* "profiles":…,"first_ms":…,"last_ms":… */
void page_put_span(struct buf *out, const struct store_span *span);
/* "node_count":…,"nodes_max":…,"truncated":… */
void page_put_size(struct buf *out, const struct flame *f, size_t nodes_max);
