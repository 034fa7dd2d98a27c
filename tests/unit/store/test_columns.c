#include "store/columns.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "test.h"

static void check_round_trip(const struct columns *c)
{
    struct err err = {0};
    cleanup_buf struct buf out = BUF_INIT(1 << 20);
    cleanup_columns struct columns back = COLUMNS_INIT;
    columns_put(c, &out);
    CHECK(buf_ok(&out));
    CHECK_INT(columns_read(buf_slice(&out), c->n, &back, &err), 0);
    CHECK_INT(back.n, c->n);
    for (size_t i = 0; i < c->n && back.n == c->n; i++) {
        CHECK_INT(back.times[i], c->times[i]);
        CHECK_INT(back.durations[i], c->durations[i]);
        CHECK_INT(back.totals[i], c->totals[i]);
    }
}

static void any_numbers_come_back(void)
{
    static const int64_t odd[] = {0, 1, -1, INT64_MAX, INT64_MIN, 0, INT64_MIN, INT64_MAX, 10, 20, 50, 20};
    cleanup_columns struct columns c;
    columns_new(&c, sizeof odd / sizeof *odd);
    for (size_t i = 0; i < c.n; i++) {
        c.times[i] = odd[i];
        c.durations[i] = odd[c.n - 1 - i];
        c.totals[i] = odd[i] / 2;
    }
    check_round_trip(&c);
    c.n = 1; /* which is not what the memory was made for: the columns stay where they are */
    check_round_trip(&c);
    c.n = 0;
    check_round_trip(&c);
}

static void an_hour_of_profiles_takes_a_dozen_bytes_each(void)
{
    enum { HOUR = 240 };
    cleanup_columns struct columns c;
    cleanup_buf struct buf out = BUF_INIT(1 << 20);
    columns_new(&c, HOUR);
    for (size_t i = 0; i < HOUR; i++) {
        c.times[i] = 1700000000123456789 + (int64_t)i * 15000000000 + (int64_t)(i * 7919 % 1000) * 1000;
        c.durations[i] = 15000000000 + (int64_t)(i * 104729 % 1000) * 1000;
        c.totals[i] = (int64_t)(i * 31 % 97) * 10000000;
    }
    columns_put(&c, &out);
    CHECK(out.len < (size_t)HOUR * 12);
    check_round_trip(&c);
}

static void damage_is_found(void)
{
    struct err err = {0};
    cleanup_columns struct columns c, back = COLUMNS_INIT;
    cleanup_buf struct buf out = BUF_INIT(1 << 20);
    columns_new(&c, 5);
    c.totals[3] = 77;
    columns_put(&c, &out);
    for (size_t i = 0; i < out.len; i++) {
        out.p[i] ^= 4;
        CHECK_INT(columns_read(buf_slice(&out), 5, &back, &err), -EBADMSG);
        out.p[i] ^= 4;
        CHECK_INT(columns_read((struct str){(const char *)out.p, i}, 5, &back, &err), -EBADMSG);
    }
    CHECK_INT(columns_read(buf_slice(&out), 4, &back, &err), -EBADMSG);
    CHECK_INT(columns_read(buf_slice(&out), 6, &back, &err), -EBADMSG);
    CHECK_INT(columns_read(buf_slice(&out), SIZE_MAX / 2, &back, &err), -EBADMSG);
    CHECK_STR(err.text, "columns are damaged");
    CHECK_INT(back.n, 0);
}

int main(void)
{
    RUN(any_numbers_come_back);
    RUN(an_hour_of_profiles_takes_a_dozen_bytes_each);
    RUN(damage_is_found);
    return REPORT();
}
