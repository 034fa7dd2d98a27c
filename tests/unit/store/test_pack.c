#include "store/pack.h"

#include <errno.h>
#include <stdlib.h>

#include "base/gzip.h"
#include "base/mem.h"
#include "ingest_fixture.h"
#include "parser/parser_main.h"
#include "selection.h"
#include "store/block.h"
#include "store/compaction.h"
#include "store/digest.h"
#include "store/query.h"
#include "test.h"

#define SECOND 1000000000LL

static const char cpu[] = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";
static struct store_reader reader;

/* A profile with so many stacks of 10 each; "EVIL" in its name where `evil`. */
static void push(int64_t at_s, size_t stacks, bool evil)
{
    struct made_sample *samples = xcalloc(stacks, sizeof *samples);
    struct err err = {0};
    for (size_t i = 0; i < stacks; i++)
        samples[i] = (struct made_sample){xasprintf("main;work%zu;%s", i, evil ? "EVIL" : "leaf"), {10}, NULL};
    cleanup_buf struct buf pprof = make_profile(&(struct made_profile){.types = {{"cpu", "nanoseconds"}},
                                                                       .period = {"cpu", "nanoseconds"},
                                                                       .samples = samples,
                                                                       .n = stacks,
                                                                       .time_ns = at_s * SECOND,
                                                                       .duration_ns = SECOND});
    cleanup_buf struct buf packed = BUF_INIT(16 << 20);
    struct parser_pool *pool = fixture_context.parsers;
    fixture_context.parsers = NULL; /* it is packing that is tested */
    CHECK_INT(gzip_deflate(buf_slice(&pprof), 1, &packed), 0);
    CHECK_INT(fixture_push("shop", NULL, buf_slice(&packed), &err), 0);
    fixture_context.parsers = pool;
    for (size_t i = 0; i < stacks; i++)
        free((char *)samples[i].stack);
    free(samples);
}

static void set_up(void)
{
    fixture_open();
    reader = (struct store_reader){.db = &fixture_db, .parsers = reader.parsers};
}

/* How many steps it took. */
static unsigned pack_all(void)
{
    struct err err = {0};
    unsigned steps = 0;
    int code;
    do {
        struct pack_step *step = NULL;
        code = pack_read(&reader, &step, &err);
        if (code == 1)
            code = pack_write(&fixture_db, step, &err);
        pack_step_free(step);
        steps += code == 1;
    } while (code == 1);
    CHECK_INT(code, 0);
    CHECK_INT(fixture_count("SELECT (SELECT count(*) FROM body) + (SELECT count(*) FROM profile)"), 0);
    return steps;
}

static int64_t total_of(int64_t from_s, int64_t until_s)
{
    struct err err = {0};
    struct store_span span = {0};
    cleanup_flame struct flame f;
    const struct selection what = {
        .service = STR("shop"), .type = str_of(cpu), .range = {from_s * 1000, until_s * 1000}};
    flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    CHECK_INT(selection_flame(&reader, &what, &f, &span, &err), 0);
    flame_finish(&f);
    return f.nodes[0].total;
}

static void an_hour_of_a_service_is_a_block(void)
{
    set_up();
    push(100, 5, false);
    push(200, 5, false);
    push(3700, 5, false);
    CHECK_INT(pack_all(), 2);
    CHECK_INT(fixture_count("SELECT count(*) FROM block"), 2);
    CHECK_INT(fixture_count("SELECT count(*) FROM slice"), 2);
    CHECK_INT(fixture_count("SELECT profiles FROM slice ORDER BY first_ns LIMIT 1"), 2);
    CHECK_INT(fixture_count("SELECT last_ns FROM block ORDER BY hour LIMIT 1"), 200 * SECOND);
    CHECK_INT(total_of(0, 10000), 150);
    CHECK_INT(total_of(150, 3600), 50);
    fixture_close();
}

/* More than a kilobyte is sorted on the way, for which the C library wants to know how much memory there is. */
static void many_stacks_are_packed(void)
{
    set_up();
    push(100, 5000, false);
    push(101, 3000, false);
    CHECK_INT(pack_all(), 1);
    CHECK_INT(reader.set_aside, 0);
    CHECK_INT(total_of(0, 1000), 80000);
    fixture_close();
}

static void profiles_that_come_later_grow_the_block(void)
{
    set_up();
    push(100, 5, false);
    CHECK_INT(pack_all(), 1);
    push(90, 7, false);
    CHECK_INT(pack_all(), 1);
    CHECK_INT(fixture_count("SELECT count(*) FROM block"), 1);
    CHECK_INT(fixture_count("SELECT profiles FROM block"), 2);
    CHECK_INT(fixture_count("SELECT first_ns FROM block"), 90 * SECOND);
    CHECK_INT(fixture_count("SELECT count(*) FROM slice"), 2);
    CHECK_INT(total_of(0, 1000), 120);
    fixture_close();
}

static void what_changed_meanwhile_is_not_written(void)
{
    struct err err = {0};
    struct pack_step *step = NULL;
    set_up();
    push(100, 5, false);
    push(101, 5, false);
    CHECK_INT(pack_read(&reader, &step, &err), 1);
    CHECK_INT(db_exec(&fixture_db,
                      "DELETE FROM profile WHERE time_ns = 101000000000; DELETE FROM body WHERE"
                      " time_ns = 101000000000",
                      &err),
              0);
    CHECK_INT(pack_write(&fixture_db, step, &err), 0);
    pack_step_free(step);
    CHECK_INT(fixture_count("SELECT count(*) FROM block"), 0);
    CHECK_INT(fixture_count("SELECT count(*) FROM body"), 1);
    CHECK_INT(pack_all(), 1);
    CHECK_INT(total_of(0, 1000), 50);
    fixture_close();
}

/* It has no time to be found by. */
static void a_profile_without_time_is_known_after_it_was_packed(void)
{
    set_up();
    for (int i = 0; i < 2; i++) {
        push(0, 5, false);
        CHECK_INT(pack_all(), i == 0);
    }
    CHECK_INT(fixture_count("SELECT sum(profiles) FROM slice"), 1);
    push(0, 6, false);
    CHECK_INT(pack_all(), 1);
    CHECK_INT(fixture_count("SELECT sum(profiles) FROM slice"), 2);
    fixture_close();
}

static void a_damaged_body_keeps_its_time_and_hides_no_other(void)
{
    struct err err = {0};
    set_up();
    push(100, 5, false);
    push(101, 7, false);
    CHECK_INT(db_exec(&fixture_db, "UPDATE body SET pprof = x'001122' WHERE time_ns = 100000000000", &err), 0);
    CHECK_INT(pack_all(), 1);
    CHECK_INT(reader.left_out, 1);
    CHECK_HAS(reader.left_which.text, "profile ");
    CHECK_INT(total_of(0, 1000), 70);
    CHECK_INT(fixture_count("SELECT profiles FROM slice"), 2);
    CHECK_INT(fixture_count("SELECT total FROM slice"), 120);
    fixture_close();
}

static void a_damaged_tree_is_followed_by_another_block(void)
{
    struct err err = {0};
    set_up();
    push(100, 5, false);
    CHECK_INT(pack_all(), 1);
    CHECK_INT(db_exec(&fixture_db, "UPDATE block SET tree = zeroblob(length(tree))", &err), 0);
    push(101, 7, false);
    CHECK_INT(pack_all(), 1);
    CHECK_INT(reader.left_out, 1);
    CHECK_HAS(reader.left_which.text, "block 1");
    CHECK_INT(fixture_count("SELECT count(*) FROM block"), 2);
    push(102, 1, false);
    CHECK_INT(pack_all(), 1);
    CHECK_INT(fixture_count("SELECT count(*) FROM block"), 2);
    CHECK_INT(total_of(0, 1000), 80);
    fixture_close();
}

static void a_damaged_slice_hides_no_other(void)
{
    struct err err = {0};
    set_up();
    push(100, 5, false);
    CHECK_INT(pack_all(), 1);
    push(101, 7, false);
    CHECK_INT(pack_all(), 1);
    CHECK_INT(db_exec(&fixture_db, "UPDATE slice SET rows = zeroblob(length(rows)) WHERE id = 1", &err), 0);
    CHECK_INT(total_of(0, 1000), 70);
    CHECK_INT(reader.left_out, 1);
    fixture_close();
}

/* ---- in a real parser process, which one of the bodies takes over ---- */

static void intrude(int sock, const uint8_t *bytes, size_t n)
{
    volatile int *volatile nowhere = (int *)16;
    cleanup_buf struct buf plain = BUF_INIT(1 << 20);
    struct err err;
    (void)sock;
    for (size_t i = 0; i + 2 < n; i++) {
        buf_done(&plain);
        plain = BUF_INIT(1 << 20);
        if (gzip_is((struct str){(const char *)bytes + i, n - i}) &&
            gzip_inflate((struct str){(const char *)bytes + i, n - i}, &plain, &err) == 0 &&
            memmem(plain.p, plain.len, "EVIL", 4))
            *nowhere = 1;
    }
}

static void a_body_that_ends_the_parser_is_set_aside(void)
{
    set_up();
    for (int64_t i = 0; i < 6; i++)
        push(100 + i, 3, i == 4);
    CHECK(pack_all() >= 2);
    CHECK_INT(reader.set_aside, 1);
    CHECK(reader.endings[PARSER_CRASHED] >= 2);
    CHECK_INT(fixture_count("SELECT sum(profiles) FROM slice"), 6);
    CHECK_INT(fixture_count("SELECT sum(total) FROM slice"), 180);
    CHECK_INT(total_of(0, 1000), 150);
    fixture_close();
}

/* Otherwise all would lose their stacks, where it is the parser that is at fault. */
static void packing_slows_down_where_it_ends_every_parser(void)
{
    struct compaction c = {0};
    struct err err = {0};
    int64_t left = COMPACTION_ASIDE_MAX + 2;
    int code = 1;
    set_up();
    for (int64_t i = 0; i < left; i++)
        push(100 + i, 3, true);
    for (int run = 0; run < 2; run++) {
        do {
            struct compaction_step step = {0};
            code = compaction_read(&c, &reader, 0, &step, &err);
            if (code == 1)
                code = compaction_write(&c, &fixture_db, &step, &err);
            compaction_step_done(&step);
        } while (code == 1);
        CHECK_INT(code, -EIO);
        CHECK_HAS(err.text, "ended the parser for");
        left -= run ? 1 : COMPACTION_ASIDE_MAX;
        CHECK_INT(fixture_count("SELECT count(*) FROM body"), left);
    }
    fixture_close();
}

int main(int argc, char **argv)
{
    static const struct parser_service *const services[] = {&block_pack_service, &block_flame_service, NULL};
    parser_main(argc, argv, services, intrude);
    for (int i = 0; i < 2; i++) {
        RUN(an_hour_of_a_service_is_a_block);
        RUN(many_stacks_are_packed);
        RUN(profiles_that_come_later_grow_the_block);
        RUN(what_changed_meanwhile_is_not_written);
        RUN(a_profile_without_time_is_known_after_it_was_packed);
        RUN(a_damaged_body_keeps_its_time_and_hides_no_other);
        RUN(a_damaged_tree_is_followed_by_another_block);
        RUN(a_damaged_slice_hides_no_other);
        if (i == 0)
            reader.parsers = parser_pool_new(argv[0], NULL);
    }
    RUN(a_body_that_ends_the_parser_is_set_aside);
    RUN(packing_slows_down_where_it_ends_every_parser);
    parser_pool_free(reader.parsers);
    return REPORT();
}
