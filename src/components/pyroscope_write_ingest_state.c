#include "components/pyroscope_write_ingest_state.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/metric.h"
#include "flow/dropped.h"
#include "net/url.h"

enum { NAME_MAX_BYTES = 1 << 20 };

static void ingest_put_text(struct buf *out, struct str text)
{
    cleanup_buf struct buf plain = BUF_INIT(NAME_MAX_BYTES);
    for (size_t i = 0; i < text.n; i++)
        buf_byte(&plain, text.p[i] == ',' || text.p[i] == '}' ? '_' : (uint8_t)text.p[i]);
    http_url_encode(out, buf_slice(&plain));
}

/* "shop{pod=a,region=eu}", encoded; to be freed. NULL: too long. */
static char *ingest_name(const struct labels *labels)
{
    struct buf out = BUF_INIT(NAME_MAX_BYTES);
    bool any = false;
    http_url_encode(&out, labels_get(labels, STR("__name__")));
    http_url_encode(&out, STR("{"));
    for (size_t i = 0; i < labels_len(labels); i++) {
        const struct label *l = labels_at(labels, i);
        if (str_has_prefix(l->name, STR("__")))
            continue;
        if (any)
            http_url_encode(&out, STR(","));
        any = true;
        http_url_encode(&out, l->name);
        http_url_encode(&out, STR("="));
        ingest_put_text(&out, l->value);
    }
    http_url_encode(&out, STR("}"));
    size_t len;
    char *name = (char *)buf_take(&out, &len);
    buf_done(&out);
    return name;
}

struct ingest_item *ingest_item_add(struct ingest_endpoint *e, const struct labels *labels, struct encoded_profile *p,
                                    int64_t since_ns)
{
    char *name = ingest_name(labels);
    if (!name) {
        metric_add(&dropped_profiles_total, 1, push_drop_name(PUSH_DROP_INVALID_LABELS));
        return NULL;
    }
    struct ingest_item *i = xcalloc(1, sizeof *i);
    *i = (struct ingest_item){
        .labels = labels_ref(labels), .profile = encoded_profile_ref(p), .name = name, .since_ns = since_ns};
    struct list *before = &e->queue; /* list_push puts in front of the node it gets */
    while (before->prev != &e->queue && list_entry(before->prev, struct ingest_item, node)->since_ns > since_ns)
        before = before->prev;
    list_push(before, &i->node);
    e->bytes += p->len;
    return i;
}

void ingest_item_free(struct ingest_endpoint *e, struct ingest_item *i)
{
    list_del(&i->node);
    e->bytes -= i->profile->len;
    if (e->failed == i)
        e->failed = NULL;
    labels_unref(i->labels);
    encoded_profile_unref(i->profile);
    free(i->name);
    free(i);
}
