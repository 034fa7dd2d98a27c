#include "pprof/from_jfr.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "pprof/conversion.h"

/* Bytes of a setting's value that are looked at. */
enum { SETTING_MAX = 1024 };

/* What the JDK's default and profile settings have. */
enum { NATIVE_METHOD_NS = 20000000 };

/* The frame of what there is no room for. */
#define OTHER STR("[other]")

struct conversion *conversion_new(const struct conversion_options *options)
{
    struct conversion *c = xcalloc(1, sizeof *c);
    const struct conversion_options *o = options;
    c->options = *o;
    c->options.event = NULL;
    c->itimer_scale = 1;
    c->settings =
        (struct recorded_settings){.event = xstrdup(o->event ? o->event : ""),
                                   .cpu_ns = o->cpu_ns,
                                   .wall_ns = o->wall_ns,
                                   .jdk_ns = o->cpu_ns,
                                   .repeat = 1,
                                   .native_method_ns = o->native_method_ns ? o->native_method_ns : NATIVE_METHOD_NS,
                                   .alloc_bytes = o->alloc_bytes,
                                   .malloc_bytes = o->malloc_bytes};
    settings_copy(&c->initial, &c->settings);
    c->limits = o->limits ? o->limits : &conversion_limits_agent;
    c->samples_left = c->limits->samples;
    symbols_init(&c->symbols, c->limits->symbols);
    c->symbols.unsigned_lines = o->compat;
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

void conversion_next_recording(struct conversion *c)
{
    conversion_end_recording(c);
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

const struct conversion_event *conversion_events(const struct conversion *c, size_t *n)
{
    *n = CLASS_COUNT - 1; /* settings come last and are no samples */
    return c->events;
}

uint64_t conversion_lost(const struct conversion *c)
{
    return c->lost;
}

const struct left_out *conversion_left_out(const struct conversion *c)
{
    return &c->left_out;
}

void conversion_itimer_scale(struct conversion *c, double scale)
{
    c->itimer_scale = scale;
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
    return c->span.from;
}

int64_t conversion_end_ns(const struct conversion *c)
{
    return c->span.until;
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
    recorded_settings_done(&c->initial);
    thread_names_done(&c->threads);
    snapshot_done(&c->snapshot);
    id_map_done(&c->label_sets);
    native_leaks_done(&c->leaks);
    buf_done(&c->text);
    free(c);
}
