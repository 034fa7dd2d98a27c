#include "store/slices.h"

#include <errno.h>

#include "test.h"

static struct db db;

/* A slice of `n` profiles of series 1, a second after the other; the id of each is its number. */
static struct slice add(int64_t first_s, size_t n)
{
    struct err err = {0};
    struct columns c;
    uint8_t ids[16 * SLICE_ID_SIZE] = {0};
    columns_new(&c, n);
    for (size_t i = 0; i < n; i++) {
        c.times[i] = (first_s + (int64_t)i) * 1000000000;
        c.durations[i] = 7;
        c.totals[i] = 10;
        ids[i * SLICE_ID_SIZE] = (uint8_t)(first_s + (int64_t)i);
    }
    const struct slice_new new = {.series = 1, .block = 2, .columns = c, .ids = ids, .sum = STR(""), .rows = STR("r")};
    CHECK_INT(slice_add(&db, &new, &err), 0);
    columns_done(&c);
    return (struct slice){.id = sqlite3_last_insert_rowid(db.handle), .profiles = n};
}

static size_t found(int64_t from_s, int64_t until_s)
{
    struct err err = {0};
    cleanup_slice_list struct slice_list l = {0};
    CHECK_INT(slices_of(&db, 1, from_s * 1000000000, until_s * 1000000000, &l, &err), 0);
    return l.len;
}

static void set_up(void)
{
    struct err err = {0};
    CHECK_INT(db_open(":memory:", &db, &err), 0);
}

static void those_that_overlap_a_range_are_found(void)
{
    struct err err = {0};
    cleanup_slice_list struct slice_list l = {0};
    set_up();
    (void)add(100, 11);
    (void)add(105, 1);
    CHECK_INT(found(0, 99), 0);
    CHECK_INT(found(0, 100), 1);
    CHECK_INT(found(104, 104), 1);
    CHECK_INT(found(105, 106), 2);
    CHECK_INT(found(110, 200), 1);
    CHECK_INT(found(111, 200), 0);
    CHECK_INT(slices_of(&db, 1, 0, INT64_MAX, &l, &err), 0);
    CHECK_INT(l.len, 2);
    CHECK_INT(l.items[0].first_ns, 100000000000);
    CHECK_INT(l.items[0].last_ns, 110000000000);
    CHECK_INT(l.items[0].total, 110);
    CHECK_INT(l.items[0].profiles, 11);
    CHECK_INT(l.items[0].block, 2);
    db_close(&db);
}

static void a_profile_is_known_by_time_and_id(void)
{
    struct err err = {0};
    char id[SLICE_ID_SIZE] = {103};
    const struct str of_103 = {id, sizeof id};
    set_up();
    (void)add(100, 5);
    CHECK_INT(slices_have(&db, 1, 103000000000, 103000000000, of_103, &err), 1);
    CHECK_INT(slices_have(&db, 1, 102000000000, 102000000000, of_103, &err), 0);
    CHECK_INT(slices_have(&db, 1, 0, 104000000000, of_103, &err), 1);
    CHECK_INT(slices_have(&db, 2, 103000000000, 103000000000, of_103, &err), 0);
    id[1] = 1;
    CHECK_INT(slices_have(&db, 1, 103000000000, 103000000000, of_103, &err), 0);
    db_close(&db);
}

static int read_again(const struct slice *s)
{
    struct err err = {0};
    cleanup_slice_profiles struct slice_profiles p = {0};
    return slice_read(&db, s, &p, &err);
}

static void damage_is_found_and_left_out(void)
{
    struct err err = {0};
    set_up();
    const struct slice a = add(100, 5), b = add(200, 3), c = add(300, 3), gone = {.id = 77, .profiles = 1};
    CHECK_INT(db_exec(&db, "UPDATE slice SET columns = zeroblob(20) WHERE id = 1", &err), 0);
    CHECK_INT(db_exec(&db, "UPDATE slice SET ids = zeroblob(8 + 48) WHERE id = 2", &err), 0);
    CHECK_INT(read_again(&a), 0);
    CHECK_INT(read_again(&b), 0);
    CHECK_INT(read_again(&c), 1);
    CHECK_INT(read_again(&gone), 0);
    CHECK_INT(slices_have(&db, 1, 100000000000, 100000000000, STR("0123456789abcdef"), &err), 0);
    db_close(&db);
}

static void an_empty_slice_is_refused(void)
{
    struct err err = {0};
    struct columns c;
    set_up();
    columns_new(&c, 0);
    CHECK_INT(slice_add(&db, &(struct slice_new){.columns = c, .ids = (const uint8_t *)""}, &err), -EINVAL);
    columns_done(&c);
    db_close(&db);
}

int main(void)
{
    RUN(those_that_overlap_a_range_are_found);
    RUN(a_profile_is_known_by_time_and_id);
    RUN(damage_is_found_and_left_out);
    RUN(an_empty_slice_is_refused);
    return REPORT();
}
