#include "base/byte_size.h"

#include "base/cleanup.h"
#include "test.h"

static void sizes_have_units(void)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {{"0", 0},           {"4096", 4096}, {"512k", 512 << 10}, {"24MiB", 24 << 20},
                {"24mb", 24 << 20}, {"1G", 1 << 30}};
    static const char *const bad[] = {
        "", "k", "-1", "1.5m", "24 MiB", "24MiBs", "99999999999999999999", "18446744073709551615g"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        uint64_t n = 1;
        CHECK(byte_size_parse(good[i].text, &n));
        CHECK_INT(n, good[i].bytes);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint64_t n;
        if (byte_size_parse(bad[i], &n))
            FAIL_("\"%s\" is a size", bad[i]);
    }
}

int main(void)
{
    RUN(sizes_have_units);
    return REPORT();
}
