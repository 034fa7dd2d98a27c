#include "base/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "test.h"

static void check_escaped(struct str text, const char *want)
{
    cleanup_buf struct buf out = BUF_INIT(4096);
    terminal_escape(text, &out);
    CHECK_STR(buf_cstr(&out), want);
}

static void controls_are_spelt_out(void)
{
    check_escaped(STR("\033]0;title\a\033[2J"), "\\x1b]0;title\\x07\\x1b[2J");
    check_escaped(STR("a\0b\x7f\b"), "a\\x00b\\x7f\\x08");
    check_escaped(STR("\xc2\x9b"
                      "31m\xc2\x80\xc2\x9f"),
                  "\\xc2\\x9b31m\\xc2\\x80\\xc2\\x9f");
    check_escaped(STR("over\rwritten\r"), "over\\x0dwritten\\x0d");
}

static void bytes_that_are_no_text_are_spelt_out(void)
{
    check_escaped(STR("\x9b\xff\xc0\x9b"), "\\x9b\\xff\\xc0\\x9b");
    check_escaped(STR("\xe2\x82"), "\\xe2\\x82");          /* cut short */
    check_escaped(STR("\xed\xa0\x80"), "\\xed\\xa0\\x80"); /* a surrogate */
}

/* As in the log: a right-to-left override shows a text that is another one. */
static void what_turns_or_parts_a_line_is_spelt_out(void)
{
    check_escaped(STR("a\u202etxt.exe\u2069\u200e"), "a\\xe2\\x80\\xaetxt.exe\\xe2\\x81\\xa9\\xe2\\x80\\x8e");
    check_escaped(STR("\u2028\u2029\ufeff"), "\\xe2\\x80\\xa8\\xe2\\x80\\xa9\\xef\\xbb\\xbf");
}

static void text_stays_as_it_is(void)
{
    const char *text = "name=\"Ä€𝄞\u00a0\"\t1\r\nnext\n";
    check_escaped(str_of(text), text);
    check_escaped(STR(""), "");
}

static struct str read_some(int fd, char *room, size_t size)
{
    ssize_t n = read(fd, room, size);
    return (struct str){room, n > 0 ? (size_t)n : 0};
}

/* A terminal's two ends; what is written comes out unchanged. */
static void open_terminal(int ends[static 2])
{
    struct termios raw;
    ends[0] = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK(ends[0] >= 0 && grantpt(ends[0]) == 0 && unlockpt(ends[0]) == 0);
    ends[1] = open(ptsname(ends[0]), O_RDWR | O_NOCTTY);
    CHECK_INT(tcgetattr(ends[1], &raw), 0);
    cfmakeraw(&raw);
    CHECK_INT(tcsetattr(ends[1], TCSANOW, &raw), 0);
}

static void only_terminals_get_it_escaped(void)
{
    int ends[2], tubes[2];
    char room[64];
    open_terminal(ends);
    CHECK_INT(pipe(tubes), 0);
    CHECK_INT(terminal_write(ends[1], STR("a\033b\n")), 0);
    CHECK(str_is(read_some(ends[0], room, sizeof room), "a\\x1bb\n"));
    CHECK_INT(terminal_write(tubes[1], STR("a\033b\n")), 0);
    CHECK(str_is(read_some(tubes[0], room, sizeof room), "a\033b\n"));
    CHECK_INT(terminal_write(ends[1], STR("")), 0);
    FILE *out = fdopen(ends[1], "w");
    terminal_printf(out, "%s!\n", "\xc2\x9b");
    CHECK(str_is(read_some(ends[0], room, sizeof room), "\\xc2\\x9b!\n"));
    fclose(out);
    close(ends[0]);
    close(tubes[0]);
    signal(SIGPIPE, SIG_IGN);
    CHECK_INT(terminal_write(tubes[1], STR("x")), -EPIPE);
    close(tubes[1]);
}

int main(void)
{
    RUN(controls_are_spelt_out);
    RUN(bytes_that_are_no_text_are_spelt_out);
    RUN(what_turns_or_parts_a_line_is_spelt_out);
    RUN(text_stays_as_it_is);
    RUN(only_terminals_get_it_escaped);
    return REPORT();
}
