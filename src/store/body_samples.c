#include "store/body_samples.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "base/mem.h"
#include "pprof/decode.h"
#include "store/limits.h"
#include "store/splits.h"

enum { BODY_SYMBOLS_MAX = 16 << 20 };

void body_samples_init(struct body_samples *b)
{
    symbols_init(&b->symbols, BODY_SYMBOLS_MAX);
}

void body_samples_done(struct body_samples *b)
{
    symbols_done(&b->symbols);
}

/* Parts by split, as lists: a body may have thousands, and each sample asks for those of its split. */
struct parts_by_split {
    const struct body_part *parts;
    struct u64map first; /* split -> part + 1 */
    uint32_t *next;      /* owned; part + 1, 0 = the last */
};

static void body_parts_done(struct parts_by_split *r)
{
    u64map_done(&r->first);
    free(r->next);
}

static void body_parts_init(struct parts_by_split *r, const struct body_part *parts, size_t n)
{
    *r = (struct parts_by_split){.parts = parts, .next = xcalloc(n + 1, sizeof *r->next)};
    for (size_t k = n; k-- > 0;) {
        uint64_t *first = u64map_add(&r->first, (uint64_t)parts[k].split, 0, NULL);
        r->next[k] = (uint32_t)*first;
        *first = k + 1;
    }
}

static void body_samples_select(struct body_samples *b, const struct profile *p, const struct parts_by_split *parts)
{
    cleanup_splits struct splits splits = SPLITS_INIT(&b->symbols);
    for (size_t i = 0; i < p->sample_count; i++) {
        const int64_t *values = profile_values(p, i);
        size_t at;
        if (!splits_counts(values, p->type_count) || splits_of(&splits, p->samples[i].labels, &at) < 0)
            continue;
        uint64_t k = 0;
        (void)u64map_get(&parts->first, (uint64_t)splits.items[at].number, &k);
        for (; k; k = parts->next[k - 1]) {
            const struct body_part *part = &parts->parts[k - 1];
            if (part->type < p->type_count && values[part->type])
                b->take(b, &p->samples[i], part->row, values[part->type]);
        }
    }
}

int body_samples_each(struct body_samples *b, struct str bytes, const struct body_part *parts, size_t n,
                      struct err *err)
{
    struct profile p;
    int code = pprof_decode(bytes.p, bytes.n, STORE_PROFILE_MAX, &b->symbols, &p, err);
    if (code == -E2BIG) {
        b->restart(b);
        symbols_done(&b->symbols);
        symbols_init(&b->symbols, BODY_SYMBOLS_MAX);
        code = pprof_decode(bytes.p, bytes.n, STORE_PROFILE_MAX, &b->symbols, &p, err);
    }
    if (code < 0)
        return code == -EMSGSIZE || code == -E2BIG ? -EBADMSG : code;
    b->period = p.period;
    __attribute__((cleanup(body_parts_done))) struct parts_by_split by_split;
    body_parts_init(&by_split, parts, n);
    body_samples_select(b, &p, &by_split);
    profile_done(&p);
    return 0;
}

int body_samples_sent(struct body_samples *b, struct str bytes, struct str parts, struct err *err)
{
    const size_t n = parts.n / sizeof(struct body_part);
    cleanup_free struct body_part *copy = xcalloc(n + 1, sizeof *copy); /* aligned */
    if (n)
        memcpy(copy, parts.p, n * sizeof *copy);
    return body_samples_each(b, bytes, copy, n, err);
}
