/* A pass over a chunk of the test's own, opened as conversion_add() does it, for the files that a walk is made of.
 *
 *     struct chunk_builder c = recording_begin(); …; recording_end(&c);
 *     struct pass_fixture f;
 *     pass_fixture_open(&f, c, &(struct conversion_options){.event = "cpu", .cpu_ns = 10});
 *     pass_fixture_done(&f);
 */
#pragma once

#include "pprof/conversion.h"
#include "pprof/from_jfr.h"
#include "pprof/pass.h"
#include "pprof/recording.h"
#include "test.h"

struct pass_fixture {
    struct chunk_builder chunk;
    struct conversion *c;
    struct jfr_header header;
    struct arena arena;
    struct jfr_metadata metadata;
    struct resolver resolver;
    struct spans spans;
    struct native_leaks mallocs;
    struct layout layout;
    struct pass pass;
};

/* Takes the chunk. */
static inline void pass_fixture_open(struct pass_fixture *f, struct chunk_builder chunk,
                                     const struct conversion_options *o)
{
    struct err err = {0};
    *f = (struct pass_fixture){.chunk = chunk, .c = conversion_new(o), .arena = ARENA_INIT(1 << 22)};
    const uint8_t *bytes = f->chunk.b.p;
    f->metadata = (struct jfr_metadata)JFR_METADATA_INIT;
    CHECK_INT(jfr_header_read(bytes, f->chunk.b.len, &f->header, &err), 0);
    CHECK_INT(jfr_metadata_read(bytes, f->header.size, f->header.metadata, &f->arena, &f->metadata, &err), 0);
    const struct resolve_options names = {.threads = o->per_thread, .limits = f->c->limits};
    CHECK_INT(resolver_open(&f->resolver, bytes, &f->header, &f->metadata, &f->arena, &f->c->symbols, &names, &err), 0);
    CHECK_STR(err.text, "");
    f->pass = (struct pass){.c = f->c,
                            .chunk = bytes,
                            .r = &f->resolver,
                            .header = &f->header,
                            .spans = &f->spans,
                            .mallocs = &f->mallocs,
                            .sign = 1,
                            .ranged = conversion_has_range(f->c)};
    pass_set_deadline(&f->pass);
    pass_settings_changed(&f->pass);
    layout_init(&f->layout, f->c, &f->metadata, &f->arena, resolver_has_strings(&f->resolver));
    layout_index(&f->layout);
}

static inline void pass_fixture_done(struct pass_fixture *f)
{
    conversion_free(f->c);
    resolver_done(&f->resolver);
    jfr_metadata_done(&f->metadata);
    native_leaks_done(&f->mallocs);
    spans_done(&f->spans);
    arena_done(&f->arena);
    chunk_done(&f->chunk);
}

/* The first event of that class, read by its plan; false where there is none. */
static inline bool pass_fixture_event(struct pass_fixture *f, size_t class, struct jfr_record *ret)
{
    struct jfr_events it = jfr_events_of(f->pass.chunk, &f->header);
    struct jfr_event event;
    *ret = (struct jfr_record){0};
    while (jfr_events_next(&it, &event, NULL) > 0) {
        if (event.type != f->layout.of[class].id)
            continue;
        return pass_compile(&f->pass, &f->layout, class, NULL) == 0 &&
               jfr_plan_read(&f->layout.of[class].plan, event.payload, it.end, ret);
    }
    return false;
}

/* Sum of the values of a sample type of a profile. */
static inline int64_t pass_fixture_sum(const struct pass_fixture *f, enum profile_kind kind, size_t column)
{
    const struct profile *p = &f->c->profiles[kind];
    int64_t sum = 0;
    for (size_t i = 0; i < p->sample_count; i++)
        sum += profile_values(p, i)[column];
    return sum;
}
