#include "pprof/encode.h"

#include "base/wire.h"
#include "pprof/decode.h"
#include "pprof/merge.h"
#include "pprof/proto_fields.h"
#include "pprof/sample_profile.h"
#include "pprof/text.h"
#include "test.h"

enum { MAX = 1 << 20 };

static void check_same_text(const struct profile *a, const struct profile *b)
{
    struct buf text = BUF_INIT(MAX), other = BUF_INIT(MAX);
    pprof_text(a, PPROF_TEXT_REFERENCE, &text);
    pprof_text(b, PPROF_TEXT_REFERENCE, &other);
    CHECK_STR(buf_cstr(&other), buf_cstr(&text));
    buf_done(&text);
    buf_done(&other);
}

static void what_is_written_is_read_again(void)
{
    cleanup_symbols struct symbols s, s2;
    cleanup_profile struct profile p, q;
    struct buf b = BUF_INIT(MAX);
    struct err err = {0};
    symbols_init(&s, MAX);
    symbols_init(&s2, MAX);
    sample_profile(&p, &s);
    profile_init(&q, &s2);
    pprof_encode(&p, &b);
    CHECK_INT(pprof_decode(b.p, b.len, MAX, &s2, &q, &err), 0);
    check_same_text(&p, &q);
    CHECK_INT(q.period, 524288);
    CHECK_INT(q.time_nanos, 1700000000000000000);
    CHECK_INT(q.duration_nanos, 15000000000);
    CHECK(str_is(s2.strings[q.period_type.type], "space") && str_is(s2.strings[q.period_type.unit], "bytes"));
    const struct pprof_labels *l = &s2.label_sets[q.samples[1].labels];
    CHECK_INT(l->count, 1);
    CHECK(str_is(s2.strings[l->labels[0].key], "thread") && str_is(s2.strings[l->labels[0].str], "main"));
    buf_done(&b);
}

static unsigned fields(const struct buf *b, uint32_t number)
{
    unsigned n = 0;
    struct wire_field f;
    struct wire_reader r = wire_reader_of(buf_slice(b));
    while (wire_next(&r, &f))
        n += f.number_of == number;
    CHECK(!r.bad);
    return n;
}

static void only_what_samples_refer_to_is_written(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    struct buf b = BUF_INIT(MAX);
    symbols_init(&s, MAX);
    sample_profile(&p, &s);
    uint32_t other = sample_location(&s, "of.another.profile", 1);
    (void)profile_add(&p, symbols_stack(&s, &other, 1), 0, (int64_t[]){0, 0}); /* nothing came of it */
    pprof_encode(&p, &b);
    CHECK_INT(fields(&b, 2), 2); /* samples */
    CHECK_INT(fields(&b, 3), 1); /* mapping */
    CHECK_INT(fields(&b, 4), 2); /* locations */
    CHECK_INT(fields(&b, 5), 2); /* functions */
    CHECK(!memmem(b.p, b.len, "another", 7));
    buf_done(&b);
}

static void the_size_is_capped(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    struct buf b = BUF_INIT(50);
    symbols_init(&s, MAX);
    sample_profile(&p, &s);
    pprof_encode(&p, &b);
    CHECK(!buf_ok(&b));
    buf_done(&b);
}

/* A profile as another program writes it: two inlined lines and a folded one, a location without symbols, two mappings,
 * and a head. Offsets of strings are their numbers in `texts`. */
static const char *const texts[] = {"",      "cpu",    "count",      "f",         "g",      "h",      "/bin/app",
                                    "id123", "/lib/x", "made by me", "a comment", "drop.*", "keep.*", "http://doc"};
enum { T_CPU = 1, T_COUNT, T_F, T_G, T_H, T_APP, T_ID, T_LIB, T_MADE, T_COMMENT, T_DROP, T_KEEP, T_DOC };

static void put_message(struct buf *out, uint32_t field, const struct buf *message)
{
    wire_bytes(out, field, buf_slice(message));
}

static void put_numbers(struct buf *out, uint32_t field, const uint64_t *pairs, size_t n)
{
    cleanup_buf struct buf m = BUF_INIT(MAX);
    for (size_t i = 0; i + 1 < n; i += 2)
        wire_number(&m, (uint32_t)pairs[i], pairs[i + 1]);
    put_message(out, field, &m);
}
#define NUMBERS(out, field, ...)                                                                                       \
    put_numbers((out), (field), (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / 8)

static void put_location(struct buf *out, uint64_t id, uint64_t mapping, uint64_t address, bool folded,
                         const uint64_t *lines, size_t n)
{
    cleanup_buf struct buf m = BUF_INIT(MAX);
    wire_number(&m, LOCATION_ID, id);
    wire_number(&m, LOCATION_MAPPING_ID, mapping);
    wire_number(&m, LOCATION_ADDRESS, address);
    for (size_t i = 0; i < n; i++)
        NUMBERS(&m, LOCATION_LINE, LINE_FUNCTION_ID, lines[i], LINE_LINE, 10 + lines[i], LINE_COLUMN, 5);
    wire_number(&m, LOCATION_IS_FOLDED, folded);
    put_message(out, PROFILE_LOCATION, &m);
}

/* `moved`: where the program lies. */
static void put_foreign(struct buf *out, uint64_t moved)
{
    cleanup_buf struct buf sample = BUF_INIT(MAX);
    NUMBERS(out, PROFILE_SAMPLE_TYPE, VALUE_TYPE_TYPE, T_CPU, VALUE_TYPE_UNIT, T_COUNT);
    for (uint64_t id = 3; id > 0; id--)
        wire_number(&sample, SAMPLE_LOCATION_ID, id);
    wire_number(&sample, SAMPLE_VALUE, 7);
    put_message(out, PROFILE_SAMPLE, &sample);
    NUMBERS(out, PROFILE_MAPPING, MAPPING_ID, 1, MAPPING_START, 0x1000 + moved, MAPPING_LIMIT, 0x9000 + moved,
            MAPPING_FILENAME, T_APP, MAPPING_BUILD_ID, T_ID, MAPPING_HAS_FUNCTIONS, 1, MAPPING_HAS_INLINED, 1);
    NUMBERS(out, PROFILE_MAPPING, MAPPING_ID, 2, MAPPING_START, 0x20000 + moved, MAPPING_LIMIT, 0x30000 + moved,
            MAPPING_OFFSET, 0x100, MAPPING_FILENAME, T_LIB);
    put_location(out, 1, 1, 0x1234 + moved, false, (const uint64_t[]){1, 2}, 2);
    put_location(out, 2, 1, 0x1300 + moved, true, (const uint64_t[]){3}, 1);
    put_location(out, 3, 2, 0x20010 + moved, false, NULL, 0);
    for (uint64_t i = 1; i <= 3; i++)
        NUMBERS(out, PROFILE_FUNCTION, FUNCTION_ID, i, FUNCTION_NAME, T_F + i - 1);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        wire_bytes(out, PROFILE_STRING_TABLE, str_of(texts[i]));
    wire_number(out, PROFILE_DROP_FRAMES, T_DROP);
    wire_number(out, PROFILE_KEEP_FRAMES, T_KEEP);
    wire_number(out, PROFILE_COMMENT, T_MADE);
    wire_number(out, PROFILE_COMMENT, T_COMMENT);
    wire_number(out, PROFILE_DEFAULT_TYPE, T_CPU);
    wire_number(out, PROFILE_DOC_URL, T_DOC);
}

static void read_foreign(struct symbols *s, struct profile *p, uint64_t moved)
{
    cleanup_buf struct buf bytes = BUF_INIT(MAX);
    struct err err = {0};
    put_foreign(&bytes, moved);
    CHECK_INT(pprof_decode(bytes.p, bytes.len, MAX, s, p, &err), 0);
    CHECK_STR(err.text, "");
}

static void check_foreign(const struct profile *p)
{
    const struct symbols *s = p->symbols;
    CHECK_INT(s->mapping_count, 2);
    CHECK_INT(s->mappings[0].start, 0x1000);
    CHECK_INT(s->mappings[0].flags, 1 | 8);
    CHECK(str_is(s->strings[s->mappings[0].build_id], "id123"));
    CHECK_INT(s->mappings[1].offset, 0x100);
    CHECK_INT(s->place_count, 3);
    const struct pprof_place *places = s->places;
    CHECK_INT(places[0].address, 0x1234);
    CHECK_INT(places[0].count, 2);
    CHECK_INT(places[0].lines[1].column, 5);
    CHECK_INT(places[1].address, 0x1300);
    CHECK_INT(places[1].folded, 1);
    CHECK_INT(places[2].address, 0x20010);
    CHECK_INT(places[2].count, 0);
    CHECK_INT(places[2].mapping, 2);
    CHECK(str_is(s->strings[p->default_type], "cpu"));
    CHECK(str_is(s->strings[p->drop_frames], "drop.*"));
    CHECK(str_is(s->strings[p->keep_frames], "keep.*"));
    CHECK(str_is(s->strings[p->doc_url], "http://doc"));
    CHECK_INT(p->comment_count, 2);
    CHECK(str_is(s->strings[p->comments[1]], "a comment"));
    CHECK_INT(s->stacks[p->samples[0].stack].count, 4); /* inlined lines are frames */
}

static void what_others_wrote_is_kept(void)
{
    cleanup_symbols struct symbols s, again;
    cleanup_profile struct profile p, read;
    cleanup_buf struct buf bytes = BUF_INIT(MAX), twice = BUF_INIT(MAX);
    struct err err = {0};
    symbols_init(&s, MAX);
    symbols_init(&again, MAX);
    s.keeps_places = again.keeps_places = true;
    read_foreign(&s, &p, 0);
    check_foreign(&p);
    pprof_encode(&p, &bytes);
    CHECK(buf_ok(&bytes));
    CHECK_INT(pprof_decode(bytes.p, bytes.len, MAX, &again, &read, &err), 0);
    CHECK_INT(read.sample_count, 1);
    CHECK_INT(again.mapping_count, 2);
    CHECK_INT(again.place_count, 3);
    pprof_encode(&read, &twice);
    CHECK(str_eq(buf_slice(&bytes), buf_slice(&twice)));
}

/* The same program at another address: nothing of it is new. Other symbols get what they need. */
static void profiles_of_one_program_merge_wherever_it_lies(void)
{
    cleanup_symbols struct symbols s, other;
    cleanup_profile struct profile p, moved, sum;
    symbols_init(&s, MAX);
    symbols_init(&other, MAX);
    s.keeps_places = other.keeps_places = true;
    read_foreign(&s, &p, 0);
    read_foreign(&other, &moved, 0x700000);
    profile_init(&sum, &s);
    CHECK_INT(profile_merge(&sum, &p, 1, NULL), 0);
    CHECK_INT(profile_merge(&sum, &moved, 1, NULL), 0);
    CHECK_INT(sum.sample_count, 1);
    CHECK_INT(profile_values(&sum, 0)[0], 14);
    check_foreign(&sum);
}

static void without_being_asked_nobody_keeps_places(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    cleanup_buf struct buf bytes = BUF_INIT(MAX);
    symbols_init(&s, MAX);
    read_foreign(&s, &p, 0);
    CHECK_INT(s.place_count, 0);
    CHECK_INT(s.mapping_count, 0);
    CHECK_INT(s.stacks[p.samples[0].stack].count, 4);
    pprof_encode(&p, &bytes);
    CHECK(buf_ok(&bytes));
}

/* A frame that somebody put between or renamed: its location is none of the other program's any more. */
static void a_changed_location_is_written_line_by_line(void)
{
    cleanup_symbols struct symbols s, again;
    cleanup_profile struct profile p, read;
    cleanup_buf struct buf bytes = BUF_INIT(MAX);
    symbols_init(&s, MAX);
    symbols_init(&again, MAX);
    s.keeps_places = again.keeps_places = true;
    read_foreign(&s, &p, 0);
    const struct pprof_stack whole = s.stacks[p.samples[0].stack];
    const uint32_t cut[] = {whole.locations[0], whole.locations[1], whole.locations[3]}; /* without the inlined one */
    CHECK(profile_add(&p, symbols_stack(&s, cut, 3), 0, (int64_t[]){1}));
    pprof_encode(&p, &bytes);
    CHECK_INT(pprof_decode(bytes.p, bytes.len, MAX, &again, &read, NULL), 0);
    CHECK_INT(read.sample_count, 2);
    CHECK_INT(again.stacks[read.samples[1].stack].count, 3);
}

/* The reference knows lines without a sign only: -1 of the JDK's recorder becomes a large number. */
static void lines_without_a_sign_are_written_as_the_reference_does(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    cleanup_buf struct buf with = BUF_INIT(MAX), without = BUF_INIT(MAX);
    symbols_init(&s, MAX);
    profile_init(&p, &s);
    CHECK(profile_add_type(&p, STR("cpu"), STR("count")));
    const uint32_t function =
        symbols_function(&s, (struct pprof_function){.name = symbols_string(&s, STR("Shop.run"))});
    const uint32_t location = symbols_location(&s, (struct pprof_location){.function = function, .line = -1});
    CHECK(profile_add(&p, symbols_stack(&s, &location, 1), 0, (int64_t[]){1}));
    pprof_encode(&p, &with);
    s.unsigned_lines = true;
    pprof_encode(&p, &without);
    CHECK_INT(with.len - without.len, 5); /* ten bytes of a negative number, five of one with 32 bits */
    CHECK(memmem(without.p, without.len, "\xff\xff\xff\xff\x0f", 5) != NULL);
    CHECK(memmem(with.p, with.len, "\xff\xff\xff\xff\x0f", 5) == NULL);
    cleanup_symbols struct symbols again;
    cleanup_profile struct profile read;
    symbols_init(&again, MAX);
    CHECK_INT(pprof_decode(without.p, without.len, MAX, &again, &read, NULL), 0);
    CHECK_INT(again.locations[again.stacks[read.samples[0].stack].locations[0]].line, -1);
}

int main(void)
{
    RUN(what_is_written_is_read_again);
    RUN(only_what_samples_refer_to_is_written);
    RUN(the_size_is_capped);
    RUN(what_others_wrote_is_kept);
    RUN(profiles_of_one_program_merge_wherever_it_lies);
    RUN(without_being_asked_nobody_keeps_places);
    RUN(a_changed_location_is_written_line_by_line);
    RUN(lines_without_a_sign_are_written_as_the_reference_does);
    return REPORT();
}
