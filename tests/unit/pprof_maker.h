/* Small profiles for tests: "root;…;leaf" stacks with values, encoded as a sender would. */
#pragma once

#include "base/buf.h"
#include "pprof/encode.h"

struct made_sample {
    const char *stack; /* "main;work;leaf" */
    int64_t values[2];
    const char *thread;       /* label "thread"; NULL = none */
    const char *span, *trace; /* labels "span_id", "trace_id"; NULL = none */
};
struct made_profile {
    const char *types[2][2]; /* {"cpu", "nanoseconds"}; a NULL type ends them */
    const char *period[2];   /* NULL: no period type */
    int64_t time_ns, duration_ns;
    const struct made_sample *samples;
    size_t n;
};

static inline uint32_t made_stack(struct symbols *s, const char *text)
{
    uint32_t locations[64];
    size_t n = 0;
    struct str rest = str_of(text), name;
    while (n < 64 && str_split(&rest, ';', &name)) {
        struct pprof_function f = {.name = symbols_string(s, name), .system_name = symbols_string(s, name)};
        locations[n++] = symbols_location(s, (struct pprof_location){.function = symbols_function(s, f), .line = 1});
    }
    for (size_t i = 0; i < n / 2; i++) {
        uint32_t other = locations[n - 1 - i];
        locations[n - 1 - i] = locations[i];
        locations[i] = other;
    }
    return symbols_stack(s, locations, n);
}

static inline uint32_t made_labels(struct symbols *s, const struct made_sample *sample)
{
    const char *const texts[][2] = {{"thread", sample->thread}, {"span_id", sample->span}, {"trace_id", sample->trace}};
    struct pprof_label labels[3];
    size_t n = 0;
    for (size_t i = 0; i < 3; i++) {
        if (texts[i][1])
            labels[n++] = (struct pprof_label){.key = symbols_string(s, str_of(texts[i][0])),
                                               .str = symbols_string(s, str_of(texts[i][1]))};
    }
    return n ? symbols_labels(s, labels, n) : 0;
}

/* Plain protobuf bytes. */
static inline struct buf make_profile(const struct made_profile *m)
{
    struct buf out = BUF_INIT(16 << 20);
    struct symbols s;
    struct profile p;
    symbols_init(&s, 64 << 20);
    profile_init(&p, &s);
    for (size_t t = 0; t < 2 && m->types[t][0]; t++)
        (void)profile_add_type(&p, str_of(m->types[t][0]), str_of(m->types[t][1]));
    if (m->period[0]) {
        p.period_type.type = symbols_string(&s, str_of(m->period[0]));
        p.period_type.unit = symbols_string(&s, str_of(m->period[1]));
        p.period = 10000000;
    }
    p.time_nanos = m->time_ns;
    p.duration_nanos = m->duration_ns;
    for (size_t i = 0; i < m->n; i++) {
        (void)profile_add(&p, made_stack(&s, m->samples[i].stack), made_labels(&s, &m->samples[i]),
                          m->samples[i].values);
    }
    pprof_encode(&p, &out);
    profile_done(&p);
    symbols_done(&s);
    return out;
}
