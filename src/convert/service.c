#include "convert/service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "pprof/from_jfr.h"

struct convert_service {
    struct conversion *conversion;   /* of the interval that is open; NULL = none is */
    struct conversion_limits limits; /* lent to it, as are the series */
    struct u64map series;            /* 0 = known before, 1 = new */
    size_t series_known;
    char filter[STACK_FILTER_MAX]; /* lent, too */
};

_Static_assert((int)CONVERT_PROFILES_MAX >= (int)CONVERSION_PROFILES_MAX, "a reply takes all profiles there may be");

struct convert_service *convert_service_new(void)
{
    return xcalloc(1, sizeof(struct convert_service));
}

static void service_close(struct convert_service *s)
{
    conversion_free(s->conversion);
    s->conversion = NULL;
    u64map_done(&s->series);
}

void convert_service_free(struct convert_service *s)
{
    if (!s)
        return;
    service_close(s);
    free(s);
}

void convert_answer_done(struct convert_answer *a)
{
    for (uint32_t i = 0; i < a->reply.profile_count; i++)
        free(a->bytes[i]);
    free(a->bytes);
    free(a->profiles);
    free(a->series);
    *a = (struct convert_answer){0};
}

static void service_open(struct convert_service *s, const struct convert_options *o, const uint8_t *series, size_t n)
{
    service_close(s);
    u64map_expect(&s->series, n);
    for (size_t i = 0; i < n; i++) {
        uint64_t hash;
        memcpy(&hash, series + i * sizeof hash, sizeof hash);
        u64map_put(&s->series, hash, 0);
    }
    s->series_known = s->series.len;
    s->limits = o->limits;
    memcpy(s->filter, o->filter, sizeof s->filter);
    s->conversion = conversion_new(&(struct conversion_options){.event = o->settings.event,
                                                                .cpu_ns = o->settings.cpu_ns,
                                                                .wall_ns = o->settings.wall_ns,
                                                                .native_method_ns = o->settings.native_method_ns,
                                                                .alloc_bytes = o->settings.alloc_bytes,
                                                                .malloc_bytes = o->settings.malloc_bytes,
                                                                .limits = &s->limits,
                                                                .series = o->series_max ? &s->series : NULL,
                                                                .series_max = o->series_max,
                                                                .series_key = {o->series_key[0], o->series_key[1]},
                                                                .per_thread = o->per_thread,
                                                                .raw_threads = o->raw_threads,
                                                                .filter = s->filter,
                                                                .gzip = o->gzip});
}

/* What the interval says of itself so far. */
static void service_report(const struct convert_service *s, struct convert_reply *r)
{
    struct conversion_options seen = {0};
    const struct cut_count *cuts = conversion_cuts(s->conversion);
    conversion_settings(s->conversion, &seen);
    r->settings = (struct convert_settings){.cpu_ns = seen.cpu_ns,
                                            .wall_ns = seen.wall_ns,
                                            .native_method_ns = seen.native_method_ns,
                                            .alloc_bytes = seen.alloc_bytes,
                                            .malloc_bytes = seen.malloc_bytes};
    snprintf(r->settings.event, sizeof r->settings.event, "%s", seen.event);
    for (size_t i = 0; i < CUT_REASONS; i++)
        r->cuts[i] = cuts[i].count;
}

static struct convert_profile service_profile(const struct pprof_result *r)
{
    struct convert_profile p = {.label_count = 1,
                                .samples = r->samples,
                                .time_nanos = r->time_nanos,
                                .duration_nanos = r->duration_nanos,
                                .size = r->len};
    snprintf(p.type, sizeof p.type, "%s", r->name);
    snprintf(p.labels[0].name, sizeof p.labels[0].name, "jfr_event");
    snprintf(p.labels[0].value, sizeof p.labels[0].value, "%s", r->event);
    return p;
}

static int service_finish(struct convert_service *s, struct convert_answer *ret, struct err *err)
{
    struct pprof_result *results;
    size_t n;
    const int code = conversion_finish(s->conversion, &results, &n, err);
    if (code < 0)
        return code;
    ret->profiles = xcalloc(n + 1, sizeof *ret->profiles);
    ret->bytes = xcalloc(n + 1, sizeof *ret->bytes);
    for (size_t i = 0; i < n; i++) {
        ret->profiles[i] = service_profile(&results[i]);
        ret->bytes[i] = TAKE_PTR(results[i].bytes);
    }
    ret->reply.profile_count = (uint32_t)n;
    return 0;
}

static void service_new_series(const struct convert_service *s, struct convert_answer *ret)
{
    ret->series = xcalloc(s->series.len - s->series_known + 1, sizeof *ret->series);
    ret->reply.series_count = (uint32_t)u64map_keys(&s->series, 1, ret->series);
}

static int service_do(struct convert_service *s, const struct convert_request *rq, const void *range,
                      struct convert_answer *ret, struct err *err)
{
    int code = convert_request_check(rq, err);
    if (code < 0)
        return code;
    if (rq->op == CONVERT_OPEN)
        service_open(s, &rq->open, range, rq->size / sizeof(uint64_t));
    else if (!s->conversion)
        return err_set(err, -EPROTO, "no interval is open");
    if (rq->op == CONVERT_CHUNK) {
        conversion_itimer_scale(s->conversion, rq->chunk.itimer_scale);
        conversion_received(s->conversion, rq->chunk.received_ns);
        code = conversion_add(s->conversion, range, rq->size, err);
    }
    if (rq->op == CONVERT_FINISH)
        code = service_finish(s, ret, err);
    service_report(s, &ret->reply);
    if (rq->op == CONVERT_FINISH) {
        service_new_series(s, ret);
        service_close(s);
    }
    return code;
}

void convert_serve(struct convert_service *s, const struct convert_request *rq, const void *range,
                   struct convert_answer *ret)
{
    struct err err = {0};
    const int64_t begun = clock_thread_ns();
    *ret = (struct convert_answer){0};
    ret->reply.code = service_do(s, rq, range, ret, &err);
    if (ret->reply.code < 0)
        memcpy(ret->reply.why, err.text, sizeof err.text);
    ret->reply.cpu_ns = clock_thread_ns() - begun;
}
