#include "pprof/conversion_finish.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "pprof/conversion.h"
#include "pprof/encode.h"
#include "pprof/stack_filter.h"

/* On real profiles a third of the time of level 6 for 8 % more bytes, and a compressor of 198 KB where level 2 takes
 * 652 KB, which are fetched from the kernel and given back for every profile. */
enum { GZIP_LEVEL = 1 };

/* Beside what is bounded of a profile: its types, times and the frames "[other]", and what a stack is written with. */
enum { OUTPUT_SPARE = 1 << 20 };

static int64_t finish_span(int64_t from, int64_t until)
{
    int64_t length;
    return __builtin_sub_overflow(until, from, &length) || length < 0 ? 0 : length;
}

/* Gives the profile of that kind what comes from all chunks together; NULL where there is none. */
static const struct profile *finish_profile(struct conversion *c, enum profile_kind kind)
{
    struct profile *p = &c->profiles[kind];
    const struct conversion_options *o = &c->options;
    if (kind == KIND_MALLOC_LIVE && c->samples[kind] == 0)
        c->samples[kind] = native_leaks_report(&c->leaks, p);
    if (c->samples[kind] == 0 || p->type_count == 0) /* not even its types had room */
        return NULL;
    if (o->filter)
        stack_filter_apply(o->filter, p);
    if (p->sample_count == 0 && o->filter && o->filter[0])
        return NULL;
    struct covered_time span = conversion_span_of(c, kind);
    if (o->compat && o->compat_start_ns)
        span = (struct covered_time){o->compat_start_ns, o->compat_end_ns};
    p->time_nanos = span.from;
    p->duration_nanos = finish_span(span.from, span.until);
    p->period = c->so_far[kind == KIND_MALLOC_LIVE ? KIND_MALLOC : kind].period;
    return p;
}

size_t conversion_profiles(struct conversion *c, struct conversion_profile *ret)
{
    _Static_assert((int)KIND_COUNT <= (int)CONVERSION_PROFILES_MAX, "the caller's array takes them all");
    size_t n = 0;
    for (size_t k = 0; k < KIND_COUNT; k++) {
        const struct profile *p = finish_profile(c, (enum profile_kind)k);
        if (p)
            ret[n++] = (struct conversion_profile){profile_kinds[k].name, p, c->samples[k]};
    }
    return n;
}

/* What encoding one profile after the other needs. */
struct encoder_output {
    struct buf plain;
    struct gzip_packer packer;
};

static int finish_encode(struct conversion *c, enum profile_kind kind, struct encoder_output *o,
                         struct pprof_result *ret, struct err *err)
{
    const struct profile *p = &c->profiles[kind];
    cleanup_buf struct buf packed = BUF_INIT(o->plain.max);
    buf_reset(&o->plain);
    /* Hardly a profile comes to more: spares growing in steps. */
    if (c->symbols.arena.used < o->plain.max / 2)
        (void)buf_reserve(&o->plain, c->symbols.arena.used + c->symbols.arena.used / 4);
    pprof_encode(p, &o->plain);
    if (!buf_ok(&o->plain))
        return err_set(err, -E2BIG, "%s: profile larger than %zu MiB", profile_kinds[kind].name, o->plain.max >> 20);
    struct buf *out = &o->plain;
    if (c->options.gzip) {
        int code = gzip_pack(&o->packer, buf_slice(&o->plain), &packed);
        if (code < 0)
            return err_set(err, code, "%s: cannot compress", profile_kinds[kind].name);
        out = &packed;
    }
    struct pprof_result result = {.name = profile_kinds[kind].name,
                                  .event = c->settings.event,
                                  .samples = c->samples[kind],
                                  .time_nanos = p->time_nanos,
                                  .duration_nanos = p->duration_nanos};
    uint8_t *bytes = buf_take(out, &result.len);
    /* Results wait in queues: give back what the buffer had to spare. */
    uint8_t *tight = realloc(bytes, result.len + 1);
    result.bytes = tight ? tight : bytes;
    *ret = result;
    return 0;
}

static void encoder_output_done(struct encoder_output *o)
{
    buf_done(&o->plain);
    gzip_packer_done(&o->packer);
}

int conversion_finish(struct conversion *c, struct pprof_result **ret, size_t *n, struct err *err)
{
    __attribute__((cleanup(encoder_output_done))) struct encoder_output output = {
        BUF_INIT(c->limits->output + c->limits->text + OUTPUT_SPARE), GZIP_PACKER_INIT(GZIP_LEVEL)};
    if (!c->results)
        c->results = xcalloc(KIND_COUNT, sizeof *c->results);
    for (size_t i = 0; i < c->result_count; i++)
        free(c->results[i].bytes);
    c->result_count = 0;
    for (size_t k = 0; k < KIND_COUNT; k++) {
        if (!finish_profile(c, (enum profile_kind)k))
            continue;
        int code = finish_encode(c, (enum profile_kind)k, &output, &c->results[c->result_count], err);
        if (code < 0)
            return code;
        c->result_count++;
    }
    *ret = c->results;
    *n = c->result_count;
    return 0;
}
