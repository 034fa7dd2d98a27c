/* Splits answers of the Kubernetes API into objects as the bytes arrive.
 *
 * A list can have thousands of objects of several KiB; one at a time is held, and parsed by the receiver. Objects are
 * found by brackets and strings alone; whether each is valid JSON is for the receiver to find out.
 * Source: Kubernetes API conventions, "Efficient detection of changes" (a watch is a sequence of JSON objects).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum kube_stream {
    KUBE_LIST,  /* {"metadata": {…}, "items": [{…}, …]} */
    KUBE_WATCH, /* {…} {…} … */
};
enum kube_item_kind {
    KUBE_ITEM,     /* an object of the list, an event of the watch */
    KUBE_METADATA, /* of the list */
};
/* Larger objects than the API server stores (1.5 MiB in etcd, of a form shorter than JSON). */
enum { KUBE_OBJECT_MAX = 8 << 20, KUBE_DEPTH_MAX = 1000 };

typedef void kube_item(void *arg, enum kube_item_kind kind, struct str json);

struct kube_items {
    enum kube_stream stream;
    kube_item *take;
    void *arg;
    size_t oversized; /* objects left out */
    struct buf text;  /* of the object that is not complete yet */
    unsigned depth, object_depth;
    bool in_string, escaped, in_object, in_items;
    char key[16]; /* the last string between members of the list */
    size_t key_len;
};

/* `take` must not call any function for the same stream. */
void kube_items_init(struct kube_items *s, enum kube_stream stream, kube_item *take, void *arg);
/* -EINVAL: that is not JSON; the stream is of no use any more. */
must_check int kube_items_feed(struct kube_items *s, struct str bytes);
/* Whether the bytes so far are complete: none is missing from the last object, and a list is closed. */
bool kube_items_complete(const struct kube_items *s);
void kube_items_done(struct kube_items *s);
