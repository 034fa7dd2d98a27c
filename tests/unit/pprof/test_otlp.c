#include "pprof/otlp.h"

#include "base/wire.h"
#include "pprof/sample_profile.h"
#include "test.h"

/* The field of that number, the nth of its kind, as bytes; without one it is empty. */
static struct str field(struct str message, uint32_t number, int nth)
{
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    while (wire_next(&r, &f)) {
        if (f.number_of == number && f.type == WIRE_BYTES && nth-- == 0)
            return f.bytes;
    }
    CHECK(!r.bad);
    return (struct str){NULL, 0};
}

static uint64_t number(struct str message, uint32_t number_of)
{
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    while (wire_next(&r, &f)) {
        if (f.number_of == number_of && f.type != WIRE_BYTES)
            return f.number;
    }
    return 0;
}

static uint64_t packed(struct str bytes, size_t nth)
{
    struct wire_reader r = wire_reader_of(bytes);
    uint64_t v = 0;
    for (size_t i = 0; i <= nth; i++)
        CHECK(wire_next_packed(&r, &v));
    return v;
}

enum { DICTIONARY = 2, LOCATIONS = 2, FUNCTIONS = 3, STRINGS = 5, ATTRIBUTES = 6, STACKS = 7 };

struct written {
    struct symbols symbols;
    struct profile p;
    struct buf out;
    struct str scope, dictionary;
};

static void write_profile(struct written *w, int column)
{
    symbols_init(&w->symbols, 1 << 20);
    sample_profile(&w->p, &w->symbols);
    w->out = BUF_INIT(1 << 20);
    otlp_encode(&(struct otlp_profile){&w->p, column}, 1, &w->out);
    CHECK(buf_ok(&w->out));
    w->scope = field(field(buf_slice(&w->out), 1, 0), 2, 0);
    w->dictionary = field(buf_slice(&w->out), DICTIONARY, 0);
}

static void written_done(struct written *w)
{
    profile_done(&w->p);
    symbols_done(&w->symbols);
    buf_done(&w->out);
}
#define WRITTEN __attribute__((cleanup(written_done))) struct written

static bool is_string(const struct written *w, uint64_t index, const char *want)
{
    return index > 0 && str_is(field(w->dictionary, STRINGS, (int)index), want);
}

static void a_profile_is_of_one_sample_type(void)
{
    WRITTEN both, one;
    write_profile(&both, -1);
    CHECK(field(both.scope, 2, 0).n && field(both.scope, 2, 1).n && !field(both.scope, 2, 2).n);
    write_profile(&one, 1);
    const struct str p = field(one.scope, 2, 0);
    CHECK(!field(one.scope, 2, 1).n);
    CHECK(is_string(&one, number(field(p, 1, 0), 1), "space") && is_string(&one, number(field(p, 1, 0), 2), "bytes"));
    CHECK(is_string(&one, number(field(p, 5, 0), 1), "space"));
    CHECK_INT(number(p, 3), 1700000000000000000);
    CHECK_INT(number(p, 4), 15000000000);
    CHECK_INT(number(p, 6), 524288);
    CHECK_INT(field(p, 7, 0).n, 16);
}

/* app.Main.work:20 on app.Main.main:10; the second sample has a label. */
static void samples_lead_to_functions_through_the_dictionary(void)
{
    WRITTEN w;
    write_profile(&w, 0);
    const struct str p = field(w.scope, 2, 0), first = field(p, 2, 0), second = field(p, 2, 1);
    CHECK_INT(packed(field(first, 4, 0), 0), 2);
    CHECK_INT(packed(field(second, 4, 0), 0), 1);
    const struct str stack = field(field(w.dictionary, STACKS, (int)number(first, 1)), 1, 0);
    static const struct {
        const char *name;
        int line;
    } frames[] = {{"app.Main.work", 20}, {"app.Main.main", 10}};
    for (size_t i = 0; i < 2; i++) {
        const struct str location = field(w.dictionary, LOCATIONS, (int)packed(stack, i)), line = field(location, 3, 0);
        const struct str function = field(w.dictionary, FUNCTIONS, (int)number(line, 1));
        CHECK_INT(number(line, 2), frames[i].line);
        CHECK(is_string(&w, number(function, 1), frames[i].name));
        const struct str kind = field(w.dictionary, ATTRIBUTES, (int)packed(field(location, 4, 0), 0));
        CHECK(is_string(&w, number(kind, 1), "profile.frame.type"));
        CHECK(str_is(field(field(kind, 2, 0), 1, 0), "jvm"));
    }
    CHECK_INT(field(first, 2, 0).n, 0);
    const struct str attribute = field(w.dictionary, ATTRIBUTES, (int)packed(field(second, 2, 0), 0));
    CHECK(is_string(&w, number(attribute, 1), "thread.name"));
    CHECK(str_is(field(field(attribute, 2, 0), 1, 0), "main"));
}

static void what_does_not_fit_fails(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    cleanup_buf struct buf small = BUF_INIT(100), full = BUF_INIT(1 << 20), none = BUF_INIT(10);
    symbols_init(&s, 1 << 20);
    sample_profile(&p, &s);
    otlp_encode(&(struct otlp_profile){&p, -1}, 1, &small);
    CHECK(!buf_ok(&small));
    otlp_encode(NULL, 0, &none);
    CHECK_INT(none.len, 0);
    symbols_done(&s);
    profile_done(&p);
    symbols_init(&s, 1 << 20);
    sample_profile(&p, &s);
    s.arena.max = s.arena.used;
    otlp_encode(&(struct otlp_profile){&p, -1}, 1, &full);
    CHECK(!buf_ok(&full));
}

int main(void)
{
    RUN(a_profile_is_of_one_sample_type);
    RUN(samples_lead_to_functions_through_the_dictionary);
    RUN(what_does_not_fit_fails);
    return REPORT();
}
