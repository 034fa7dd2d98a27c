#include "store/setting_table.h"

#include <errno.h>

#include "ingest_fixture.h"
#include "store/reader.h"
#include "test.h"

static struct store_reader reader;

static void put_setting(void *arg, const struct store_setting *s)
{
    buf_printf(arg, "%.*s=%.*s@%lld ", STR_ARG(s->name), STR_ARG(s->value), (long long)s->modified_ms);
}

static void check_settings(const char *want)
{
    struct err err = {0};
    cleanup_buf struct buf got = BUF_INIT(4096);
    CHECK_INT(store_each_setting(&reader, put_setting, &got, &err), 0);
    CHECK_STR(buf_cstr(&got), want);
}

static int put(struct str name, struct str value, int64_t at)
{
    struct err err = {0};
    return store_put_setting(&reader, &(struct store_setting){name, value, at}, &err);
}

static void settings_are_kept_replaced_and_deleted(void)
{
    struct err err = {0};
    fixture_open();
    reader = (struct store_reader){.db = &fixture_db};
    check_settings("");
    CHECK_INT(put(STR("b"), STR("1"), 5), 0);
    CHECK_INT(put(STR("a"), STR("{}"), 6), 0);
    CHECK_INT(put(STR("b"), STR("2"), 7), 0);
    check_settings("a={}@6 b=2@7 ");
    CHECK_INT(store_delete_setting(&reader, STR("a"), &err), 0);
    CHECK_INT(store_delete_setting(&reader, STR("nothing"), &err), 0);
    check_settings("b=2@7 ");
    fixture_close();
}

static void their_number_and_size_are_limited(void)
{
    cleanup_buf struct buf large = BUF_INIT(SETTING_VALUE_MAX + 1);
    fixture_open();
    reader = (struct store_reader){.db = &fixture_db};
    CHECK_INT(put(STR(""), STR("1"), 5), -EINVAL);
    for (int i = 0; i <= SETTING_VALUE_MAX; i++)
        buf_byte(&large, 'x');
    CHECK_INT(put(STR("a"), buf_slice(&large), 5), -EINVAL);
    for (int i = 0; i < SETTINGS_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        CHECK_INT(put(str_of(name), STR(""), 5), 0);
    }
    CHECK_INT(put(STR("more"), STR(""), 5), -EMSGSIZE);
    fixture_close();
}

int main(void)
{
    RUN(settings_are_kept_replaced_and_deleted);
    RUN(their_number_and_size_are_limited);
    return REPORT();
}
