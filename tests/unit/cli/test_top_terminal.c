/* Keys as terminals send them; the rest is in daemon/test_top.py, with a terminal. */
#include "cli/top_terminal.h"

#include "base/cleanup.h"
#include "test.h"

static void keys_are_known_by_their_bytes(void)
{
    static const struct {
        const char *bytes;
        int key;
        size_t used;
    } cases[] = {{"q", 'q', 1},
                 {"qq", 'q', 1},
                 {"\033[A", TOP_KEY_UP, 3},
                 {"\033OB", TOP_KEY_DOWN, 3},
                 {"\033[5~x", TOP_KEY_PAGE_UP, 4},
                 {"\033[6~", TOP_KEY_PAGE_DOWN, 4},
                 {"\033[H", TOP_KEY_HOME, 3},
                 {"\r", TOP_KEY_ENTER, 1},
                 {"\n", TOP_KEY_ENTER, 1},
                 {"\033", TOP_KEY_BACK, 1},
                 {"\177", TOP_KEY_BACK, 1},
                 {"\033[1;5Cq", TOP_KEY_NONE, 6}, /* Ctrl-Right */
                 {"\033[", TOP_KEY_NONE, 2},
                 {"\033x", TOP_KEY_NONE, 2},
                 {"", TOP_KEY_NONE, 0}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t used = 99;
        CHECK_INT(top_key_read(str_of(cases[i].bytes), &used), cases[i].key);
        CHECK_INT(used, cases[i].used);
    }
}

static void every_byte_is_used_up(void)
{
    static const char bytes[] = "\033[\033[[A\x80\xff\033\033[999999";
    struct str rest = {bytes, sizeof bytes - 1};
    while (rest.n) {
        size_t used = 0;
        (void)top_key_read(rest, &used);
        CHECK(used > 0 && used <= rest.n);
        if (!used || used > rest.n)
            break;
        rest = (struct str){rest.p + used, rest.n - used};
    }
}

int main(void)
{
    RUN(keys_are_known_by_their_bytes);
    RUN(every_byte_is_used_up);
    return REPORT();
}
