#include "components/pyroscope_scrape_args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "lang/coerce.h"

#define DELTA_DEFAULT (14 * NS_PER_SEC)
enum { INTERVAL_MAX_S = 86400 };

/* --- profile.* --- */

#define PROFILE_OPTIONS(on, at, deltas)                                                                                \
    (const struct option[])                                                                                            \
    {                                                                                                                  \
        {"enabled", OPT_BOOL, offsetof(struct scrape_profile_args, enabled), .default_text = on,                       \
         .help = "Whether to collect this profile."},                                                                  \
            {"path", OPT_STRING, offsetof(struct scrape_profile_args, path), .default_text = at,                       \
             .help = "Path of the endpoint."},                                                                         \
            {"delta", OPT_BOOL, offsetof(struct scrape_profile_args, delta), .default_text = deltas,                   \
             .help = "Whether to ask for a profile of some seconds."},                                                 \
        {                                                                                                              \
            0                                                                                                          \
        }                                                                                                              \
    }
#define PROFILE_SCHEMA(on, at, deltas)                                                                                 \
    {                                                                                                                  \
        .size = sizeof(struct scrape_profile_args), .options = PROFILE_OPTIONS(on, at, deltas)                         \
    }

static const struct {
    const char *name;
    struct schema schema;
} profiles[SCRAPE_PROFILES] = {
    [SCRAPE_MEMORY] = {"memory", PROFILE_SCHEMA("true", "\"/debug/pprof/allocs\"", "false")},
    [SCRAPE_BLOCK] = {"block", PROFILE_SCHEMA("true", "\"/debug/pprof/block\"", "false")},
    [SCRAPE_GOROUTINE] = {"goroutine", PROFILE_SCHEMA("true", "\"/debug/pprof/goroutine\"", "false")},
    [SCRAPE_MUTEX] = {"mutex", PROFILE_SCHEMA("true", "\"/debug/pprof/mutex\"", "false")},
    [SCRAPE_PROCESS_CPU] = {"process_cpu", PROFILE_SCHEMA("true", "\"/debug/pprof/profile\"", "true")},
    [SCRAPE_FGPROF] = {"fgprof", PROFILE_SCHEMA("false", "\"/debug/fgprof\"", "true")},
    [SCRAPE_GODELTAPROF_MEMORY] = {"godeltaprof_memory",
                                   PROFILE_SCHEMA("false", "\"/debug/pprof/delta_heap\"", "false")},
    [SCRAPE_GODELTAPROF_MUTEX] = {"godeltaprof_mutex",
                                  PROFILE_SCHEMA("false", "\"/debug/pprof/delta_mutex\"", "false")},
    [SCRAPE_GODELTAPROF_BLOCK] = {"godeltaprof_block",
                                  PROFILE_SCHEMA("false", "\"/debug/pprof/delta_block\"", "false")},
};

static const struct schema custom_schema = {
    .size = sizeof(struct scrape_profile_args),
    .options =
        (const struct option[]){{"enabled", OPT_BOOL, offsetof(struct scrape_profile_args, enabled), .required = true,
                                 .help = "Whether to collect this profile."},
                                {"path", OPT_STRING, offsetof(struct scrape_profile_args, path), .required = true,
                                 .help = "Path of the endpoint."},
                                {"delta", OPT_BOOL, offsetof(struct scrape_profile_args, delta),
                                 .default_text = "false", .help = "Whether to ask for a profile of some seconds."},
                                {0}},
    .label_offset = offsetof(struct scrape_profile_args, name),
};

#define KNOWN(which, text, what)                                                                                       \
    {                                                                                                                  \
        "profile." text, OPT_BLOCK,                                                                                    \
            offsetof(struct scrape_profiling_args, known) + (which) * sizeof(struct scrape_profile_args),              \
            .block = &profiles[which].schema, .help = what                                                             \
    }
static const struct option profiling_options[] = {
    {"path_prefix", OPT_STRING, offsetof(struct scrape_profiling_args, path_prefix),
     .help = "Prefix of the path of every endpoint."},
    KNOWN(SCRAPE_MEMORY, "memory", "Allocations and memory in use."),
    KNOWN(SCRAPE_BLOCK, "block", "Time blocked on synchronisation."),
    KNOWN(SCRAPE_GOROUTINE, "goroutine", "Goroutines."),
    KNOWN(SCRAPE_MUTEX, "mutex", "Contention of mutexes."),
    KNOWN(SCRAPE_PROCESS_CPU, "process_cpu", "CPU time."),
    KNOWN(SCRAPE_FGPROF, "fgprof", "Wall clock time, of [fgprof](https://github.com/felixge/fgprof)."),
    KNOWN(SCRAPE_GODELTAPROF_MEMORY, "godeltaprof_memory", "Allocations, compared by the program itself."),
    KNOWN(SCRAPE_GODELTAPROF_MUTEX, "godeltaprof_mutex", "Contention of mutexes, compared by the program itself."),
    KNOWN(SCRAPE_GODELTAPROF_BLOCK, "godeltaprof_block", "Time blocked, compared by the program itself."),
    {"profile.custom", OPT_BLOCKS, offsetof(struct scrape_profiling_args, custom), .block = &custom_schema,
     .help = "A profile of another endpoint; its label is the profile's name."},
    {0},
};

void scrape_each_profile(const struct scrape_profiling_args *a,
                         void (*visit)(void *arg, const char *name, const struct scrape_profile_args *p), void *arg)
{
    for (size_t i = 0; i < SCRAPE_PROFILES; i++)
        visit(arg, profiles[i].name, &a->known[i]);
    const struct scrape_profile_args *custom = a->custom.items;
    for (size_t i = 0; i < a->custom.len; i++)
        visit(arg, custom[i].name, &custom[i]);
}

static int scrape_check_profiling(const void *record, struct err *err)
{
    const struct scrape_profiling_args *a = record;
    const struct scrape_profile_args *custom = a->custom.items;
    for (size_t i = 0; i < a->custom.len; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(custom[i].name, custom[k].name) == 0)
                return err_set(err, -EINVAL, "profile.custom \"%s\" is specified twice", custom[i].name);
    return 0;
}
static const struct schema profiling_schema = {
    .size = sizeof(struct scrape_profiling_args), .options = profiling_options, .validate = scrape_check_profiling};

/* --- params --- */

static void scrape_params_done(void *field)
{
    struct scrape_params *p = field;
    for (size_t i = 0; i < p->len; i++) {
        for (size_t k = 0; k < p->items[i].values.len; k++)
            free(p->items[i].values.items[k]);
        free(p->items[i].values.items);
        free(p->items[i].name);
    }
    free(p->items);
    *p = (struct scrape_params){0};
}

static int scrape_param_decode(struct scrape_param *p, struct value *values, struct err *err)
{
    if (value_kind(values) != VALUE_ARRAY)
        return err_set(err, -EINVAL, ".%s should be array, got %s", p->name, value_kind_name(value_kind(values)));
    p->values.items = xcalloc(value_len(values) + 1, sizeof(char *));
    for (size_t i = 0; i < value_len(values); i++) {
        struct value *v = value_item(values, i);
        if (value_kind(v) != VALUE_STRING)
            return err_set(err, -EINVAL, ".%s[%zu] should be string, got %s", p->name, i,
                           value_kind_name(value_kind(v)));
        p->values.items[p->values.len++] = str_dup(value_as_str(v));
    }
    return 0;
}

static int scrape_params_decode(struct value *v, void *field, struct err *err)
{
    struct scrape_params *ret = field;
    if (value_kind(v) == VALUE_NULL)
        return 0;
    if (value_kind(v) != VALUE_OBJECT)
        return coerce_refuse(v, VALUE_OBJECT, err);
    struct scrape_params p = {.items = xcalloc(value_len(v) + 1, sizeof *p.items)};
    int code = 0;
    for (size_t i = 0; code == 0 && i < value_len(v); i++) {
        struct value *values;
        p.items[p.len].name = str_dup(value_key(v, i, &values));
        code = scrape_param_decode(&p.items[p.len++], values, err);
    }
    if (code < 0)
        scrape_params_done(&p);
    else
        *ret = p;
    return code;
}

static bool scrape_params_equal(const void *a, const void *b)
{
    const struct scrape_params *x = a, *y = b;
    bool same = x->len == y->len;
    for (size_t i = 0; same && i < x->len; i++) {
        const struct scrape_param *p = &x->items[i], *q = &y->items[i];
        same = strcmp(p->name, q->name) == 0 && p->values.len == q->values.len;
        for (size_t k = 0; same && k < p->values.len; k++)
            same = strcmp(p->values.items[k], q->values.items[k]) == 0;
    }
    return same;
}

static struct value *scrape_params_to_value(const void *field)
{
    const struct scrape_params *p = field;
    struct value *object = value_object();
    for (size_t i = 0; i < p->len; i++) {
        const struct string_list *values = &p->items[i].values;
        cleanup_free struct value **items = xcalloc(values->len + 1, sizeof(struct value *));
        for (size_t k = 0; k < values->len; k++)
            items[k] = value_string(str_of(values->items[k]));
        value_object_put(object, str_of(p->items[i].name), value_array(items, values->len));
    }
    return object;
}

static const struct option_type params_option = {.name = "map(list(string))",
                                                 .decode = scrape_params_decode,
                                                 .done = scrape_params_done,
                                                 .equal = scrape_params_equal,
                                                 .to_value = scrape_params_to_value};

/* --- all --- */

static const struct option clustering_options[] = {
    {"enabled", OPT_BOOL, offsetof(struct scrape_clustering_args, enabled), .required = true,
     .help = "Has no effect: agents do not form clusters."},
    {0},
};
static const struct schema clustering_schema = {.size = sizeof(struct scrape_clustering_args),
                                                .options = clustering_options};

#define AT(name) offsetof(struct scrape_args, name)
static const struct option options[] = {
    {"targets", OPT_CUSTOM, AT(targets), .required = true, .custom = &targets_option, .help = "Programs to scrape."},
    {"forward_to", OPT_CUSTOM, AT(forward_to), .required = true, .custom = &receivers_option,
     .help = "Receivers of the profiles."},
    {"job_name", OPT_STRING, AT(job_name),
     .help = "Label `job` of targets without one; the ID of the component if empty."},
    {"params", OPT_CUSTOM, AT(params), .custom = &params_option, .help = "Query parameters of every request."},
    {"scrape_interval", OPT_DURATION, AT(scrape_interval), .default_text = "\"15s\"",
     .help = "Interval between two requests to an endpoint."},
    {"scrape_timeout", OPT_DURATION, AT(scrape_timeout), .default_text = "\"10s\"",
     .help = "Timeout of a request; the seconds of a profile are added."},
    {"scheme", OPT_STRING, AT(scheme), .default_text = "\"http\"", .help = "`http` or `https`."},
    {"delta_profiling_duration", OPT_DURATION, AT(delta_profiling_duration), .default_text = "\"14s\"",
     .help = "Duration of a profile with `delta = true`; at the default, one second less than `scrape_interval`."},
    {"profiling_config", OPT_BLOCK, AT(profiling), .block = &profiling_schema, .help = "Profiles to collect."},
    {"clustering", OPT_BLOCK, AT(clustering), .block = &clustering_schema, .help = "Accepted for compatibility."},
    HTTP_SETTINGS_OPTIONS(struct scrape_args, http),
    {0},
};
#undef AT

static void scrape_note_delta(void *arg, const char *name, const struct scrape_profile_args *p)
{
    (void)name;
    bool *any = arg;
    *any |= p->enabled && p->delta;
}

static int scrape_check_times(const struct scrape_args *a, struct err *err)
{
    bool deltas = false;
    scrape_each_profile(&a->profiling, scrape_note_delta, &deltas);
    if (a->scrape_timeout < NS_PER_MS)
        return err_set(err, -EINVAL, "scrape_timeout must be greater than 0");
    if (a->scrape_interval < NS_PER_SEC / 10 || a->scrape_interval > INTERVAL_MAX_S * NS_PER_SEC)
        return err_set(err, -EINVAL, "scrape_interval must be between 100ms and 24h");
    if (!deltas)
        return 0;
    if (a->scrape_interval < 2 * NS_PER_SEC)
        return err_set(err, -EINVAL, "scrape_interval must be at least 2 seconds when using delta profiling");
    if (a->delta_profiling_duration <= NS_PER_SEC)
        return err_set(err, -EINVAL,
                       "delta_profiling_duration must be larger than 1 second when using delta profiling");
    if (a->delta_profiling_duration > a->scrape_interval - NS_PER_SEC)
        return err_set(err, -EINVAL,
                       "delta_profiling_duration must be at least 1 second smaller than scrape_interval when using "
                       "delta profiling");
    return 0;
}

static int scrape_check_args(const void *record, struct err *err)
{
    const struct scrape_args *a = record;
    const int code = scrape_check_times(a, err);
    if (code < 0)
        return code;
    if (strcmp(a->scheme, "http") != 0 && strcmp(a->scheme, "https") != 0)
        return err_set(err, -EINVAL, "invalid scheme: \"%s\"", a->scheme);
    return http_settings_check(&a->http, err);
}

const struct schema scrape_schema = {
    .size = sizeof(struct scrape_args), .options = options, .validate = scrape_check_args};

int64_t scrape_delta_seconds(const struct scrape_args *a)
{
    return a->delta_profiling_duration == DELTA_DEFAULT ? a->scrape_interval / NS_PER_SEC - 1
                                                        : a->delta_profiling_duration / NS_PER_SEC;
}
