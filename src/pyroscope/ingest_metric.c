#include "pyroscope/ingest_metric.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "pyroscope/json_load.h"

/* What clients that say nothing mean. */
static const char *const metric_shown_names[][2] = {
    {"samples", "cpu"}, {"goroutine", "goroutines"}, {"contentions", "mutex_count"}, {"delay", "mutex_duration"}};

static const struct {
    const char *part, *metric;
    bool whole;
} metric_names[] = {{"cpu", "process_cpu", false}, {"alloc_", "memory", false},        {"inuse_", "memory", false},
                    {"space", "memory", true},     {"objects", "memory", true},        {"mutex_", "mutex", false},
                    {"block_", "block", false},    {"goroutines", "goroutines", false}};

static struct str metric_type(const struct profile *p, size_t i)
{
    return p->symbols->strings[p->types[i].type];
}

/* What the client calls a sample type. */
static struct str metric_shown(struct str type, json_t *config)
{
    const char *key;
    json_t *value;
    json_object_foreach(config, key, value)
    {
        const json_t *name = json_object_get(value, "display-name");
        if (str_is(type, key) && json_string_length(name))
            return (struct str){json_string_value(name), json_string_length(name)};
    }
    for (size_t i = 0; !config && i < ARRAY_LEN(metric_shown_names); i++) {
        if (str_is(type, metric_shown_names[i][0]))
            return str_of(metric_shown_names[i][1]);
    }
    return type;
}

static struct str metric_choose(const struct profile *p, json_t *config)
{
    struct str shown = STR("");
    for (size_t i = 0; i < p->type_count; i++) {
        if (str_is(metric_type(p, i), "wall"))
            return STR("wall");
    }
    for (size_t i = 0; i < p->type_count; i++) {
        shown = metric_shown(metric_type(p, i), config);
        for (size_t k = 0; k < ARRAY_LEN(metric_names); k++) {
            const char *part = metric_names[k].part;
            if (metric_names[k].whole ? str_is(shown, part) : memmem(shown.p, shown.n, part, strlen(part)) != NULL)
                return str_of(metric_names[k].metric);
        }
    }
    return shown;
}

int ingest_metric_of(const struct profile *p, struct str config, struct buf *out, struct err *err)
{
    json_error_t why;
    json_t *json = config.n ? json_load(config, &why) : NULL;
    if (config.n && !json)
        return err_set(err, -EINVAL, "sample_type_config: %s", why.text);
    buf_str(out, metric_choose(p, json));
    json_decref(json);
    return 0;
}
