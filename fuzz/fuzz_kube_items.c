/* Answers of the Kubernetes API, cut into objects: however they come in parts, the objects are the same, and each
 * begins with a brace and ends with a bracket (whose kind is for the receiver to check). */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "kubernetes/kube_items.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(void *arg, enum kube_item_kind kind, struct str json)
{
    if (json.n < 2 || json.p[0] != '{' || !strchr("}]", json.p[json.n - 1]))
        abort();
    buf_byte(arg, kind == KUBE_METADATA ? 'm' : 'i');
    buf_str(arg, json);
}

static void split(enum kube_stream stream, const uint8_t *data, size_t size, size_t step, struct buf *found)
{
    struct kube_items s;
    int code = 0;
    kube_items_init(&s, stream, take, found);
    for (size_t at = 0; code == 0 && at < size; at += step)
        code = kube_items_feed(&s, (struct str){(const char *)data + at, size - at < step ? size - at : step});
    buf_printf(found, "%d %d", code, code == 0 && kube_items_complete(&s));
    kube_items_done(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (unsigned stream = KUBE_LIST; stream <= KUBE_WATCH; stream++) {
        struct buf whole = BUF_INIT(1 << 24), parts = BUF_INIT(1 << 24);
        split(stream, data, size, size ? size : 1, &whole);
        split(stream, data, size, 3, &parts);
        if (!str_eq(buf_slice(&whole), buf_slice(&parts)))
            abort();
        buf_done(&whole);
        buf_done(&parts);
    }
    return 0;
}
