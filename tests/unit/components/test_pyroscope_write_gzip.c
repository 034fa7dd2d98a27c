#include "components/pyroscope_write_gzip.h"

#include "base/cleanup.h"
#include "base/gzip.h"
#include "components/write_fixture.h"

enum { LARGE = 20000 };

struct seen {
    size_t len;
    struct encoded_profile *profiles[8];
};

static void keep(void *ctx, const struct labels *labels, struct encoded_profile *p, struct write_latency *latency)
{
    struct seen *s = ctx;
    CHECK(str_is(labels_get(labels, STR("service_name")), "shop"));
    CHECK(latency == NULL);
    s->profiles[s->len++] = encoded_profile_ref(p);
}

static void forget(struct seen *s)
{
    for (size_t i = 0; i < s->len; i++)
        encoded_profile_unref(s->profiles[i]);
    s->len = 0;
}

static struct encoded_profile *append(struct write_gzip *g, size_t len)
{
    uint8_t *bytes = xcalloc(1, len);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * i);
    struct labels *ls = labels_named("shop");
    struct encoded_profile *p = encoded_profile_new(bytes, len, 7, 8, 9);
    p->origin = profile_origin_new();
    write_gzip_append(g, ls, p, NULL);
    labels_unref(ls);
    return p;
}

static void what_is_plain_is_compressed_and_stays_the_same_profile(void)
{
    struct seen seen = {0};
    struct write_gzip *g = write_gzip_new(&loop, keep, &seen);
    struct encoded_profile *from = append(g, LARGE);
    CHECK_INT(seen.len, 0);
    WAIT_FOR(seen.len == 1);
    const struct encoded_profile *p = seen.profiles[0];
    cleanup_buf struct buf plain = BUF_INIT(LARGE);
    struct err err = {0};
    CHECK(p->len < LARGE / 2);
    CHECK_INT(gzip_inflate((struct str){(const char *)p->pprof, p->len}, &plain, &err), 0);
    CHECK(plain.len == from->len && memcmp(buf_cstr(&plain), from->pprof, from->len) == 0);
    CHECK_STR(p->id, from->id);
    CHECK(p->samples == 7 && p->time_nanos == 8 && p->duration_nanos == 9 && p->origin == from->origin);
    encoded_profile_unref(from);
    forget(&seen);
    write_gzip_free(g);
}

static void what_is_compressed_or_small_or_too_much_goes_on_as_it_is(void)
{
    struct seen seen = {0};
    struct write_gzip *g = write_gzip_new(&loop, keep, &seen);
    struct labels *ls = labels_named("shop");
    struct buf packed = BUF_INIT(2 * LARGE);
    cleanup_free char *zeros = xcalloc(1, LARGE);
    CHECK_INT(gzip_deflate((struct str){zeros, LARGE}, 1, &packed), 0);
    size_t len;
    uint8_t *bytes = buf_take(&packed, &len);
    bytes = xrealloc(bytes, LARGE);
    struct encoded_profile *p = encoded_profile_new(bytes, LARGE, 1, 0, 0);
    write_gzip_append(g, ls, p, NULL);
    CHECK(seen.len == 1 && seen.profiles[0] == p);
    encoded_profile_unref(p);
    encoded_profile_unref(append(g, WRITE_GZIP_LEAST - 1));
    CHECK_INT(seen.len, 2);
    encoded_profile_unref(append(g, WRITE_GZIP_BYTES));
    CHECK_INT(seen.len, 2);
    struct encoded_profile *more = append(g, LARGE);
    CHECK(seen.len == 3 && seen.profiles[2] == more);
    encoded_profile_unref(more);
    WAIT_FOR(seen.len == 4);
    labels_unref(ls);
    forget(&seen);
    write_gzip_free(g);
}

static void at_the_end_all_goes_on_at_once(void)
{
    struct seen seen = {0};
    struct write_gzip *g = write_gzip_new(&loop, keep, &seen);
    for (int i = 0; i < 3; i++)
        encoded_profile_unref(append(g, LARGE));
    write_gzip_flush(g);
    CHECK_INT(seen.len, 3);
    for (size_t i = 0; i < 3; i++)
        CHECK_INT(seen.profiles[i]->len, LARGE);
    encoded_profile_unref(append(g, LARGE)); /* which is left behind */
    write_gzip_free(g);
    WAIT_FOR(loop.active_reqs.count == 0);
    CHECK_INT(seen.len, 3);
    forget(&seen);
}

int main(void)
{
    uv_loop_init(&loop);
    RUN(what_is_plain_is_compressed_and_stays_the_same_profile);
    RUN(what_is_compressed_or_small_or_too_much_goes_on_as_it_is);
    RUN(at_the_end_all_goes_on_at_once);
    CHECK(fault_loop_close(&loop));
    return REPORT();
}
