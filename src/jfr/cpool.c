#include "jfr/cpool.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "jfr/text.h"
#include "jfr/varint.h"

/* Entries of one pool, if not told otherwise: async-profiler's largest, symbols, stay below 100,000 in big
 * applications. */
enum { ENTRIES_MAX = 1 << 20, EVENT_CHECKPOINT = 1 };

struct pool_reader {
    const uint8_t *chunk, *end;
    const struct jfr_metadata *m;
    struct arena *arena;
    struct jfr_pool *pools;
    size_t pool_count;
    const struct jfr_plan **skips; /* by type index, compiled on first use */
};

/* Position behind one value of a pool. Most are one string or a few numbers. */
static inline const uint8_t *pool_skip_value(const struct jfr_plan *plan, const uint8_t *p, const uint8_t *end)
{
    if (plan->string)
        return jfr_string_skip(p, end);
    if (plan->numbers == 0 || end - p < (ptrdiff_t)plan->numbers * JFR_VARINT_MAX)
        return jfr_plan_run(plan, p, end, NULL);
    p = jfr_varint_steps(p, plan->numbers);
    return plan->bytes <= (size_t)(end - p) ? p + plan->bytes : NULL;
}

static int index_pool(struct pool_reader *r, struct jfr_pool *pool, const uint8_t **p, uint64_t count, struct err *err)
{
    const uint8_t *at = *p, *const chunk = r->chunk, *const end = r->end;
    const struct jfr_plan *const plan = &pool->plan;
    /* The count is only a claim until its entries have been seen: grow ahead by no more than the bytes can hold. */
    uint64_t fit = (uint64_t)(end - at) / (1 + plan->min_size);
    if (count > fit)
        return err_set(err, -EBADMSG, "pool of %s: %llu entries in %zu bytes", pool->type, (unsigned long long)count,
                       (size_t)(end - at));
    if (count == 0)
        return 0;
    const size_t room = (pool->max ? pool->max : ENTRIES_MAX) - pool->len, take = count < room ? count : room;
    if (!mem_grow(&pool->entries, &pool->cap, pool->len + take, sizeof *pool->entries))
        return err_set(err, -ENOMEM, "pool of %s: no memory for %llu entries", pool->type, (unsigned long long)count);
    struct jfr_entry *const first = pool->entries + pool->len, *const last = first + take;
    uint64_t key_max = pool->key_max;
    for (struct jfr_entry *e = first; e < last; e++) {
        uint64_t key;
        const uint8_t *value = jfr_varint(at, end, &key);
        at = value ? pool_skip_value(plan, value, end) : NULL;
        if (!at)
            return err_set(err, -EBADMSG, "pool of %s: truncated entry", pool->type);
        *e = (struct jfr_entry){.key = key, .at = (uint32_t)(value - chunk)};
        key_max = key > key_max ? key : key_max;
    }
    pool->key_max = key_max;
    pool->len += take;
    pool->left_out += count - take;
    at = jfr_plan_skip(plan, at, end, count - take, true);
    if (!at)
        return err_set(err, -EBADMSG, "pool of %s: truncated entry", pool->type);
    *p = at;
    return 0;
}

static int skip_pool(struct pool_reader *r, const struct jfr_type *t, const uint8_t **p, uint64_t count,
                     struct err *err)
{
    const struct jfr_plan **skip = &r->skips[t - r->m->types];
    if (!*skip) {
        struct jfr_plan *plan = arena_alloc(r->arena, sizeof *plan);
        if (!plan)
            return err_set(err, -E2BIG, "plans: larger than %zu bytes", r->arena->max);
        int code = jfr_plan_compile(r->m, t, NULL, 0, true, r->arena, plan, err);
        if (code < 0)
            return code;
        *skip = plan;
    }
    *p = jfr_plan_skip(*skip, *p, r->end, count, true);
    return *p ? 0 : err_set(err, -EBADMSG, "pool of %.*s: truncated", STR_ARG(t->name));
}

/* The pool that somebody wants of this type, ready to be read, or NULL. */
static int wanted_pool(struct pool_reader *r, const struct jfr_type *t, struct jfr_pool **ret, struct err *err)
{
    size_t i = 0, fields = 0;
    while (i < r->pool_count && r->pools[i].of != t)
        i++;
    *ret = i < r->pool_count ? &r->pools[i] : NULL;
    if (!*ret || (*ret)->plan.steps)
        return 0;
    while (fields < JFR_SLOTS && (*ret)->fields[fields])
        fields++;
    return jfr_plan_compile(r->m, t, (*ret)->fields, fields, true, r->arena, &(*ret)->plan, err);
}

static int read_pool(struct pool_reader *r, const uint8_t **p, struct err *err)
{
    uint64_t id = 0, count = 0;
    *p = jfr_varint(*p, r->end, &id);
    *p = jfr_varint(*p, r->end, &count);
    const struct jfr_type *t = *p ? jfr_type_by_id(r->m, id) : NULL;
    struct jfr_pool *pool;
    if (!t)
        return err_set(err, -EBADMSG, *p ? "pool of undescribed type %llu" : "truncated pool", (unsigned long long)id);
    int code = wanted_pool(r, t, &pool, err);
    if (code < 0)
        return code;
    return pool ? index_pool(r, pool, p, count, err) : skip_pool(r, t, p, count, err);
}

/* Reads one checkpoint; *next is the position of the one it points to, or the same. */
static int pool_read_checkpoint(struct pool_reader *r, uint64_t *pos, uint64_t len, uint64_t *size, struct err *err)
{
    const uint8_t *start = r->chunk + *pos, *p = start;
    uint64_t type = 0, ignored, delta = 0, mask, count = 0;
    p = jfr_varint(p, r->chunk + len, size);
    if (!p || *size > len - *pos)
        return err_set(err, -EBADMSG, "constant pools: event of invalid size");
    r->end = start + *size;
    p = jfr_varint(p, r->end, &type);
    if (p && type != EVENT_CHECKPOINT)
        return err_set(err, -EBADMSG, "constant pools: unexpected event of type %llu", (unsigned long long)type);
    p = jfr_varint(p, r->end, &ignored); /* start */
    p = jfr_varint(p, r->end, &ignored); /* duration */
    p = jfr_varint(p, r->end, &delta);
    p = jfr_varint(p, r->end, &mask);
    p = jfr_varint(p, r->end, &count);
    if (!p)
        return err_set(err, -EBADMSG, "constant pools: truncated");
    for (; count > 0; count--) {
        int code = read_pool(r, &p, err);
        if (code < 0)
            return code;
    }
    *pos += delta; /* two's complement: mostly backwards */
    return 0;
}

static int pool_walk(struct pool_reader *r, const struct jfr_header *header, struct err *err)
{
    uint64_t pos = header->checkpoint, seen = 0, before;
    do {
        if (pos < JFR_HEADER_SIZE || pos >= header->size)
            return err_set(err, -EBADMSG, "constant pools: chain leaves the chunk");
        before = pos;
        uint64_t size = 0;
        int code = pool_read_checkpoint(r, &pos, header->size, &size, err);
        if (code < 0)
            return code;
        /* Checkpoints do not overlap, so that together they fit into the chunk; a loop does not. */
        seen += size;
        if (seen > header->size)
            return err_set(err, -EBADMSG, "constant pools: cycle in the chain");
    } while (pos != before);
    return 0;
}

/* async-profiler numbers methods from 1 on; other ids are spread: hashes of stacks, addresses, class ids with a
 * method's number below. */
static bool pool_make_index(struct jfr_pool *pool)
{
    enum { DENSE = 4 };
    if (pool->len == 0)
        return true;
    if (pool->key_max < DENSE * (uint64_t)pool->len) {
        pool->index = calloc(pool->key_max + 1, sizeof *pool->index);
        pool->direct = pool->index ? pool->key_max + 1 : 0;
        for (size_t i = 0; pool->index && i < pool->len; i++)
            pool->index[pool->entries[i].key] = (uint32_t)i + 1;
        return pool->index != NULL;
    }
    uint64_t slots = 4;
    pool->shift = 62;
    for (; slots < 2 * pool->len; slots *= 2)
        pool->shift--;
    pool->index = calloc(slots, sizeof *pool->index);
    if (!pool->index)
        return false;
    pool->slots = slots;
    for (size_t i = 0; i < pool->len; i++) {
        uint64_t slot = hash_number_high(pool->entries[i].key) >> pool->shift;
        while (pool->index[slot] && pool->entries[pool->index[slot] - 1].key != pool->entries[i].key)
            slot = (slot + 1) & (pool->slots - 1);
        pool->index[slot] = (uint32_t)i + 1;
    }
    return true;
}

int jfr_pools_read(const uint8_t *chunk, const struct jfr_header *header, const struct jfr_metadata *m,
                   struct arena *arena, struct jfr_pool *pools, size_t count, struct err *err)
{
    if (header->size > UINT32_MAX)
        return err_set(err, -E2BIG, "chunk of %llu bytes", (unsigned long long)header->size);
    struct pool_reader r = {.chunk = chunk, .m = m, .arena = arena, .pools = pools, .pool_count = count};
    for (size_t i = 0; i < count; i++)
        pools[i].of = jfr_type_by_name(m, pools[i].type);
    cleanup_free const struct jfr_plan **skips = xcalloc(m->count, sizeof *skips);
    r.skips = skips;
    int code = pool_walk(&r, header, err);
    for (size_t i = 0; code == 0 && i < count; i++) {
        if (!pool_make_index(&pools[i]))
            code = err_set(err, -ENOMEM, "pool of %s: no memory for an index", pools[i].type);
    }
    return code;
}

void jfr_pools_done(struct jfr_pool *pools, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(pools[i].entries);
        free(pools[i].index);
        pools[i].entries = NULL;
        pools[i].index = NULL;
        pools[i].len = pools[i].cap = 0;
        pools[i].direct = pools[i].slots = 0;
    }
}
