#include "pprof/from_jfr.h"

#include <errno.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "pprof/conversion.h"
#include "pprof/encode.h"

/* On real profiles a third of the time of level 6 for 8 % more bytes, and a compressor of 198 KB where level 2 takes 652 KB, which
 * are fetched from the kernel and given back for every profile. */
enum { GZIP_LEVEL = 1 };

/* Bytes of a setting's value that are looked at. */
enum { SETTING_MAX = 1024 };

/* Beside what is bounded of a profile: its types, times and the frames "[other]", and what a stack is written with. */
enum { OUTPUT_SPARE = 1 << 20 };

/* Between two looks at the clock. */
enum { CLOCK_EVENTS = 1024, CLOCK_BYTES = 128 << 10 };

/* How far from the time at which a chunk came its own may lie: a machine may have slept meanwhile. */
static const int64_t EARLIER_NS = 86400000000000, LATER_NS = 10000000000;

/* What the JDK's default and profile settings have. */
enum { NATIVE_METHOD_NS = 20000000 };

/* Acts from here on, in file order: async-profiler writes settings in front of all samples. The reference knows the event alone. */
static bool take_setting(struct pass *p, const struct jfr_record *e)
{
    struct conversion *c = p->c;
    resolver_text(p->r, e->v[SETTING_NAME], &c->text);
    const enum setting setting = settings_known(buf_slice(&c->text));
    if (setting == SETTING_OTHER || (c->options.compat && setting != SETTING_EVENT))
        return false;
    resolver_text(p->r, e->v[SETTING_VALUE], &c->text);
    settings_take(&c->settings, setting, buf_slice(&c->text), c->limits->event_name);
    return true;
}

/* Sample types and the period's; false where symbols are full. */
static bool name_types(struct conversion *c, enum profile_kind kind, struct profile *p)
{
    const struct profile_kind_def *def = &profile_kinds[kind];
    const bool compat = c->options.compat;
    for (size_t i = 0; i < (kind == KIND_LIVE && compat ? 1 : 2) && def->types[i][0]; i++) {
        if (!profile_add_type(p, str_of(def->types[i][0]), str_of(def->types[i][1])))
            return false;
    }
    if (kind == KIND_MALLOC && compat)
        return true;
    p->period_type.type = symbols_string(&c->symbols, str_of(def->period[0]));
    p->period_type.unit = symbols_string(&c->symbols, str_of(def->period[1]));
    return p->period_type.type != SYMBOLS_FULL && p->period_type.unit != SYMBOLS_FULL;
}

bool conversion_begin(struct conversion *c, enum profile_kind kind)
{
    struct profile p;
    profile_init(&p, &c->symbols);
    if (!name_types(c, kind, &p))
        return false;
    profile_bound(&p, &c->samples_left, c->limits->output);
    c->profiles[kind] = p;
    return true;
}

/* The frame of what there is no room for. */
#define OTHER STR("[other]")

struct conversion *conversion_new(const struct conversion_options *options)
{
    struct conversion *c = xcalloc(1, sizeof *c);
    const struct conversion_options *o = options;
    c->options = *o;
    c->options.event = NULL;
    c->tick_worth = 1;
    c->settings =
        (struct recorded_settings){.event = xstrdup(o->event ? o->event : ""),
                                   .cpu_ns = o->cpu_ns,
                                   .wall_ns = o->wall_ns,
                                   .jdk_ns = o->cpu_ns,
                                   .repeat = 1,
                                   .native_method_ns = o->native_method_ns ? o->native_method_ns : NATIVE_METHOD_NS,
                                   .alloc_bytes = o->alloc_bytes,
                                   .malloc_bytes = o->malloc_bytes};
    c->limits = o->limits ? o->limits : &conversion_limits_agent;
    c->samples_left = c->limits->samples;
    symbols_init(&c->symbols, c->limits->symbols);
    c->symbols.stacks_max = c->limits->stacks;
    c->symbols.encoded_left = c->limits->text;
    const struct pprof_function other = {.name = symbols_string(&c->symbols, OTHER)};
    const uint32_t frame =
        symbols_location(&c->symbols, (struct pprof_location){.function = symbols_function(&c->symbols, other)});
    c->other = symbols_stack(&c->symbols, &frame, 1);
    c->leaks.max = c->limits->blocks;
    c->threads = THREAD_NAMES_INIT(o->raw_threads, o->threads_max);
    c->snapshot.symbols = &c->symbols;
    c->text = BUF_INIT(SETTING_MAX);
    for (size_t i = 0; i < CLASS_COUNT; i++)
        c->events[i].type = event_classes[i].type;
    return c;
}

int conversion_labels(struct conversion *c, struct str snapshot, struct err *err)
{
    snapshot_done(&c->snapshot);
    memset(c->known_labels, 0, sizeof c->known_labels);
    int code = snapshot_read(&c->snapshot, snapshot, &c->symbols, err);
    c->has_labels = code == 0;
    if (code < 0) {
        snapshot_done(&c->snapshot);
        c->snapshot = (struct snapshot){.symbols = &c->symbols};
    }
    return code;
}

/* Intervals may be anything. */
static int64_t scaled(int64_t v, double by)
{
    const double x = (double)v * by + 0.5;
    if (!(x > -0x1p63))
        return INT64_MIN;
    return x < 0x1p63 ? (int64_t)x : INT64_MAX;
}

static void settings_changed(struct pass *p)
{
    const struct recorded_settings *s = &p->c->settings;
    p->wall = !p->jdk && settings_wall(s);
    p->both = !p->jdk && !p->c->options.compat && settings_both(s);
    p->counter = !p->jdk && !p->c->options.compat && settings_counter(s);
    p->sample_ns = p->jdk ? s->jdk_ns : s->cpu_ns;
    if (p->wall && !p->c->options.compat) /* the reference counts all samples at the cpu rate */
        p->sample_ns = settings_wall_weight(s);
    p->worth_ns = p->sample_ns;
    if (!p->jdk && settings_ticks(s))
        p->worth_ns = scaled(p->sample_ns, p->c->tick_worth);
}

static void take(struct pass *p, size_t class, const struct jfr_record *e)
{
    if (class == CLASS_SETTING) {
        if (take_setting(p, e))
            settings_changed(p);
    } else if (p->ranged && !event_in_range(p, e)) {
        return;
    } else {
        event_take(p, class, e);
    }
    p->c->events[class].count += (uint64_t)(event_count(class, e) * p->sign);
}

bool pass_look_at_clock(struct pass *p)
{
    struct timespec now;
    p->until_look = CLOCK_EVENTS;
    if (p->deadline_ns == 0 || p->sign < 0)
        return false;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    p->late |= (int64_t)now.tv_sec * 1000000000 + now.tv_nsec > p->deadline_ns;
    return p->late;
}

static void set_deadline(struct pass *p)
{
    struct timespec now;
    p->until_look = CLOCK_EVENTS;
    if (p->c->limits->cpu_ns == 0)
        return;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    p->deadline_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + p->c->limits->cpu_ns;
}

/* Those for which there was no time. */
static uint64_t count_events(const struct layout *l, struct jfr_events it)
{
    struct jfr_event event;
    uint64_t n = 0;
    while (jfr_events_next(&it, &event, NULL) > 0)
        n += layout_class(l, event.type) != NO_CLASS;
    return n;
}

/* Walks events up to the one that reaches `until`; *failed_at is where it broke off. */
static int walk_part(struct pass *p, struct layout *l, struct jfr_record records[CLASS_COUNT], struct jfr_events *at,
                     const uint8_t *until, const uint8_t **failed_at, struct err *err)
{
    struct jfr_events it = *at;
    struct jfr_event event;
    while (it.p < until) {
        *failed_at = it.p;
        int code = jfr_events_next(&it, &event, err);
        if (code < 0)
            return code;
        size_t class = layout_class(l, event.type);
        if (class == NO_CLASS)
            continue;
        if (class >= UNREAD) {
            class -= UNREAD;
            code = layout_compile(l, p, class, err);
            if (code < 0)
                return code;
        }
        /* Numbers are read fastest far from the end of the bytes: the event's own end is looked at afterwards. */
        const uint8_t *end = jfr_plan_read(&l->of[class].plan, event.payload, it.end, &records[class]);
        if (!end || end > event.end)
            return err_set(err, -EBADMSG, "%s at %zu is cut", event_classes[class].type,
                           (size_t)(*failed_at - it.chunk));
        take(p, class, &records[class]);
    }
    *at = it;
    return 0;
}

/* The same up to `until`, looking at the clock now and then. */
static int walk(struct pass *p, struct layout *l, struct jfr_events it, const uint8_t *until, const uint8_t **failed_at,
                struct err *err)
{
    struct jfr_record records[CLASS_COUNT] = {0}; /* a type may lack fields: those stay 0 */
    int code = 0;
    settings_changed(p);
    while (code == 0 && it.p < until) {
        if (p->sign > 0 && p->late) {
            conversion_cut(p, CUT_TIME, count_events(l, it));
            break;
        }
        const uint8_t *stop = until - it.p > CLOCK_BYTES ? it.p + CLOCK_BYTES : until;
        code = walk_part(p, l, records, &it, stop, failed_at, err);
        if (code == 0 && it.p < until)
            (void)pass_look_at_clock(p);
    }
    return code;
}

/* Adds all events, or none: a walk that breaks off is walked again up to there with the sign turned round. */
static int add_events(struct pass *p, struct layout *l, struct err *err)
{
    struct recorded_settings before = {0}, *settings = &p->c->settings;
    struct jfr_events it = jfr_events_of(p->chunk, p->header);
    settings_copy(&before, settings);
    const uint8_t *failed_at = it.p;
    int code = walk(p, l, it, it.end, &failed_at, err);
    if (code < 0) {
        settings_copy(settings, &before);
        p->sign = -1;
        (void)!walk(p, l, it, failed_at, &failed_at, NULL);
        settings_copy(settings, &before);
    }
    recorded_settings_done(&before);
    return code;
}

static int64_t end_of(const struct jfr_header *h)
{
    int64_t end;
    return h->duration_ns < 0 || __builtin_add_overflow(h->start_ns, h->duration_ns, &end) ? h->start_ns : end;
}

/* From when to when a chunk says it goes; a clock of its own cannot put it anywhere. */
static void span_of(const struct conversion *c, const struct jfr_header *h, int64_t *from, int64_t *until)
{
    const int64_t now = c->received_ns;
    int64_t length;
    *from = h->start_ns;
    *until = end_of(h);
    if (now == 0 || (*from > now - EARLIER_NS && *from <= *until && *until < now + LATER_NS))
        return;
    if (__builtin_sub_overflow(*until, *from, &length) || length < 0 || length > EARLIER_NS)
        length = 0;
    *from = now - length;
    *until = now;
}

/* The profiles are about the time that the chunks cover, or the part of it that was asked for. */
static void extend_span(struct conversion *c, const struct jfr_header *h)
{
    int64_t from, until;
    span_of(c, h, &from, &until);
    if (!c->options.compat && conversion_has_range(c)) {
        const int64_t last = c->options.until_ns ? c->options.until_ns : INT64_MAX;
        from = from > c->options.from_ns ? from : c->options.from_ns;
        until = until < last ? until : last;
        if (from > until)
            return;
    }
    if (c->start_ns == 0)
        c->start_ns = from;
    c->end_ns = until;
}

/* What of the chunk the pools and passes had no room for. */
static void count_cuts(const struct pass *p)
{
    uint64_t entries = 0;
    for (size_t i = 0; i < RESOLVE_POOLS; i++)
        entries += p->r->pools[i].left_out;
    conversion_cut(p, CUT_POOLS, entries);
    conversion_cut(p, CUT_FRAMES, p->r->cut_stacks);
    conversion_cut(p, CUT_SPANS, p->spans->left_out);
}

static int add_chunk(struct pass *pass, struct layout *layout, struct err *err)
{
    struct conversion *c = pass->c;
    struct recorded_settings before = {0};
    settings_copy(&before, &c->settings);
    chunk_prepare(pass, layout);
    layout_index(layout);
    int code = add_events(pass, layout, err);
    if (code < 0)
        settings_copy(&c->settings, &before);
    recorded_settings_done(&before);
    if (code < 0)
        return code;
    chunk_settle(pass, layout);
    count_cuts(pass);
    extend_span(c, pass->header);
    return 0;
}

int conversion_add(struct conversion *c, const void *chunk, size_t len, struct err *err)
{
    struct jfr_header header;
    cleanup_arena struct arena arena = ARENA_INIT(c->limits->metadata);
    cleanup_jfr_metadata struct jfr_metadata metadata = JFR_METADATA_INIT;
    cleanup_resolver struct resolver resolver = {0};
    cleanup_spans struct spans spans = {.max = c->limits->spans};
    cleanup_native_leaks struct native_leaks mallocs = {.max = c->limits->blocks};
    const struct conversion_options *o = &c->options;
    const struct resolve_options names = {.compat = o->compat,
                                          .mark_truncated = o->mark_truncated,
                                          .no_lines = o->no_lines,
                                          .frame_types = o->frame_types,
                                          .libraries = o->libraries,
                                          .raw_names = o->raw_names,
                                          .threads = o->per_thread,
                                          .limits = c->limits};
    struct pass pass = {.c = c,
                        .r = &resolver,
                        .chunk = chunk,
                        .header = &header,
                        .spans = &spans,
                        .mallocs = &mallocs,
                        .sign = 1,
                        .ranged = !o->compat && conversion_has_range(c)};
    set_deadline(&pass);
    int code = jfr_header_read(chunk, len, &header, err);
    if (code == 0)
        code = jfr_metadata_read(chunk, header.size, header.metadata, &arena, &metadata, err);
    if (code == 0)
        code = resolver_open(&resolver, chunk, &header, &metadata, &arena, &c->symbols, &names, err);
    if (code < 0)
        return code;
    struct layout layout;
    layout_init(&layout, c, &metadata, &arena, resolver_has_strings(&resolver));
    return add_chunk(&pass, &layout, err);
}

/* What one unit of the period type stands for: a sample in time, bytes between samples; every contention, call and object counts. */
static int64_t period_of(const struct conversion *c, enum profile_kind kind)
{
    const struct recorded_settings *s = &c->settings;
    if (c->options.compat)
        return 0;
    switch (kind) {
    case KIND_CPU:
        return s->sample_ns;
    case KIND_COUNTER:
        return s->cpu_ns;
    case KIND_WALL:
        return settings_wall_weight(s);
    case KIND_NATIVE_METHOD:
        return s->native_method_ns;
    case KIND_TLAB_IN:
    case KIND_TLAB_OUT:
        return s->alloc_bytes;
    case KIND_MALLOC:
    case KIND_MALLOC_LIVE:
        return s->malloc_bytes;
    case KIND_ALLOC: /* the JDK throttles by rate */
        return 0;
    default:
        return 1;
    }
}

static int64_t span_between(int64_t from, int64_t until)
{
    int64_t length;
    return __builtin_sub_overflow(until, from, &length) || length < 0 ? 0 : length;
}

/* Gives the profile of that kind what comes from all chunks together; NULL where there is none. */
static const struct profile *finished(struct conversion *c, enum profile_kind kind)
{
    struct profile *p = &c->profiles[kind];
    const struct conversion_options *o = &c->options;
    if (kind == KIND_MALLOC_LIVE && c->samples[kind] == 0)
        c->samples[kind] = native_leaks_report(&c->leaks, p);
    if (c->samples[kind] == 0 || p->type_count == 0) /* not even its types had room */
        return NULL;
    p->time_nanos = o->compat && o->compat_start_ns ? o->compat_start_ns : c->start_ns;
    p->duration_nanos = o->compat && o->compat_start_ns ? span_between(o->compat_start_ns, o->compat_end_ns)
                                                        : span_between(c->start_ns, c->end_ns);
    p->period = period_of(c, kind);
    return p;
}

size_t conversion_profiles(struct conversion *c, struct conversion_profile *ret)
{
    _Static_assert((int)KIND_COUNT <= (int)CONVERSION_PROFILES_MAX, "the caller's array takes them all");
    size_t n = 0;
    for (size_t k = 0; k < KIND_COUNT; k++) {
        const struct profile *p = finished(c, (enum profile_kind)k);
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

static int encode(struct conversion *c, enum profile_kind kind, struct encoder_output *o, struct pprof_result *ret,
                  struct err *err)
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

static void output_done(struct encoder_output *o)
{
    buf_done(&o->plain);
    gzip_packer_done(&o->packer);
}

int conversion_finish(struct conversion *c, struct pprof_result **ret, size_t *n, struct err *err)
{
    __attribute__((cleanup(output_done))) struct encoder_output output = {
        BUF_INIT(c->limits->output + c->limits->text + OUTPUT_SPARE), GZIP_PACKER_INIT(GZIP_LEVEL)};
    if (!c->results)
        c->results = xcalloc(KIND_COUNT, sizeof *c->results);
    for (size_t i = 0; i < c->result_count; i++)
        free(c->results[i].bytes);
    c->result_count = 0;
    for (size_t k = 0; k < KIND_COUNT; k++) {
        if (!finished(c, (enum profile_kind)k))
            continue;
        int code = encode(c, (enum profile_kind)k, &output, &c->results[c->result_count], err);
        if (code < 0)
            return code;
        c->result_count++;
    }
    *ret = c->results;
    *n = c->result_count;
    return 0;
}

const struct conversion_event *conversion_events(const struct conversion *c, size_t *n)
{
    *n = CLASS_COUNT - 1; /* settings come last and are no samples */
    return c->events;
}

void conversion_tick_worth(struct conversion *c, double worth)
{
    c->tick_worth = worth;
}

void conversion_received(struct conversion *c, int64_t wall_ns)
{
    c->received_ns = wall_ns;
}

const struct cut_count *conversion_cuts(const struct conversion *c)
{
    return c->cuts;
}

int64_t conversion_start_ns(const struct conversion *c)
{
    return c->start_ns;
}

int64_t conversion_end_ns(const struct conversion *c)
{
    return c->end_ns;
}

void conversion_settings(const struct conversion *c, struct conversion_options *options)
{
    options->event = c->settings.event;
    options->cpu_ns = c->settings.cpu_ns;
    options->wall_ns = c->settings.wall_ns;
    options->native_method_ns = c->settings.native_method_ns;
    options->alloc_bytes = c->settings.alloc_bytes;
    options->malloc_bytes = c->settings.malloc_bytes;
}

void conversion_free(struct conversion *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->result_count; i++)
        free(c->results[i].bytes);
    free(c->results);
    for (size_t k = 0; k < KIND_COUNT; k++)
        profile_done(&c->profiles[k]);
    symbols_done(&c->symbols);
    recorded_settings_done(&c->settings);
    thread_names_done(&c->threads);
    snapshot_done(&c->snapshot);
    id_map_done(&c->label_sets);
    native_leaks_done(&c->leaks);
    buf_done(&c->text);
    free(c);
}
