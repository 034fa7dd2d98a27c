#include "components/pyroscope_relabel_cache.h"

#include <stdio.h>

#include "test.h"

static struct labels *set_of(const char *value)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    labels_set(&b, STR("a"), str_of(value));
    return labels_build(&b, false);
}

static void add(struct relabel_cache *c, const char *in, const char *out)
{
    struct labels *key = set_of(in), *result = out ? set_of(out) : NULL;
    relabel_cache_add(c, key, result);
    labels_unref(key);
    labels_unref(result);
}

/* What is cached for a set: its value, "dropped", or "none". */
static const char *cached(struct relabel_cache *c, const char *in)
{
    static char text[64];
    struct labels *key = set_of(in);
    const struct labels *out;
    const bool found = relabel_cache_find(c, key, &out);
    snprintf(text, sizeof text, "%s", !found ? "none" : !out ? "dropped" : labels_get(out, STR("a")).p);
    labels_unref(key);
    return text;
}

static void finds_results_and_drops(void)
{
    struct relabel_cache c;
    relabel_cache_init(&c, 10);
    CHECK_STR(cached(&c, "1"), "none");
    add(&c, "1", "one");
    add(&c, "2", NULL);
    CHECK_STR(cached(&c, "1"), "one");
    CHECK_STR(cached(&c, "2"), "dropped");
    CHECK_STR(cached(&c, "3"), "none");
    relabel_cache_done(&c);
}

static void the_longest_unused_makes_room(void)
{
    struct relabel_cache c;
    relabel_cache_init(&c, 2);
    add(&c, "1", "one");
    add(&c, "2", "two");
    CHECK_STR(cached(&c, "1"), "one"); /* used again */
    add(&c, "3", "three");
    CHECK_INT(c.len, 2);
    CHECK_STR(cached(&c, "1"), "one");
    CHECK_STR(cached(&c, "2"), "none");
    CHECK_STR(cached(&c, "3"), "three");
    relabel_cache_resize(&c, 1);
    CHECK_STR(cached(&c, "1"), "none");
    CHECK_STR(cached(&c, "3"), "three");
    relabel_cache_purge(&c);
    CHECK_STR(cached(&c, "3"), "none");
    add(&c, "4", "four");
    CHECK_STR(cached(&c, "4"), "four");
    relabel_cache_done(&c);
}

/* Two sets of one hash cannot be found, as hashes are keyed: the hash is forged. */
static void sets_with_one_hash_are_told_apart(void)
{
    struct relabel_cache c;
    relabel_cache_init(&c, 10);
    add(&c, "1", "one");
    struct labels *other = set_of("2");
    struct relabel_result *r = list_entry(c.used.next, struct relabel_result, used);
    const uint64_t was = r->hash;
    for (size_t i = 0; i < c.slot_count; i++) {
        if (c.slots[i] == r)
            c.slots[i] = NULL;
    }
    r->hash = labels_hash(other);
    c.slots[r->hash & (c.slot_count - 1)] = r;
    CHECK_STR(cached(&c, "2"), "none");
    add(&c, "2", "two");
    CHECK_STR(cached(&c, "2"), "two");
    CHECK(was != r->hash && r->hash == labels_hash(other));
    labels_unref(other);
    relabel_cache_done(&c);
}

static void thousands_are_found_again(void)
{
    enum { N = 5000 };
    struct relabel_cache c;
    relabel_cache_init(&c, N);
    char name[16];
    for (int i = 0; i < 2 * N; i++) {
        snprintf(name, sizeof name, "%d", i);
        add(&c, name, name);
    }
    CHECK_INT(c.len, N);
    for (int i = 0; i < 2 * N; i++) {
        snprintf(name, sizeof name, "%d", i);
        if (strcmp(cached(&c, name), i < N ? "none" : name) != 0)
            FAIL_("%d is wrong", i);
    }
    relabel_cache_done(&c);
}

int main(void)
{
    RUN(finds_results_and_drops);
    RUN(the_longest_unused_makes_room);
    RUN(sets_with_one_hash_are_told_apart);
    RUN(thousands_are_found_again);
    return REPORT();
}
