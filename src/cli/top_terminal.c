#include "cli/top_terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

enum { COLUMNS_USUAL = 80, ROWS_USUAL = 24, KEYS_READ = 64 };

/* Alternate screen, no cursor, no wrapping: a wide character must not move the lines below. */
static const char enter[] = "\033[?1049h\033[?25l\033[?7l\033[H\033[2J";
static const char leave[] = "\033[?7h\033[?25h\033[?1049l";

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS};

static struct {
    bool is_open;
    volatile sig_atomic_t taken; /* the terminal is ours now */
    struct termios before;
    struct top_terminal_events events;
    uv_loop_t *loop;
    uv_signal_t ends[ARRAY_LEN(ending)], suspend, resize;
    uv_poll_t keys;
    int watch; /* an epoll with standard input */
} terminal;

bool top_terminal_is_one(void)
{
    const char *term = getenv("TERM");
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

/* ---- taking and giving back ---- */

/* In a signal handler, too: calls nothing but what is safe there. */
static void terminal_give_back(void)
{
    if (!terminal.taken)
        return;
    terminal.taken = 0;
    (void)!write(STDOUT_FILENO, leave, sizeof leave - 1);
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &terminal.before);
}

static int terminal_take(struct err *err)
{
    struct termios raw = terminal.before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    terminal.taken = 1;
    if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0 || fd_write_all(STDOUT_FILENO, enter, sizeof enter - 1) < 0) {
        const int code = err_errno(err, "use the terminal");
        terminal_give_back();
        return code;
    }
    return 0;
}

static void terminal_on_crash(int number)
{
    terminal_give_back();
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static void terminal_on_end(uv_signal_t *s, int number)
{
    (void)s;
    terminal.events.ended(terminal.events.arg, number);
}

static void terminal_on_resize(uv_signal_t *s, int number)
{
    (void)s, (void)number;
    terminal.events.resized(terminal.events.arg);
}

/* SIGSTOP, because SIGTSTP has this handler; returns when the program goes on. */
static void terminal_on_suspend(uv_signal_t *s, int number)
{
    struct err err;
    (void)s, (void)number;
    terminal_give_back();
    (void)kill(getpid(), SIGSTOP);
    if (tcgetattr(STDIN_FILENO, &terminal.before) < 0 || terminal_take(&err) < 0)
        terminal.events.ended(terminal.events.arg, 0);
    else
        terminal.events.resized(terminal.events.arg);
}

/* ---- keys ---- */

int top_key_read(struct str bytes, size_t *used)
{
    static const struct {
        const char *bytes;
        int key;
    } known[] = {{"\033[A", TOP_KEY_UP},   {"\033OA", TOP_KEY_UP},       {"\033[B", TOP_KEY_DOWN},
                 {"\033OB", TOP_KEY_DOWN}, {"\033[5~", TOP_KEY_PAGE_UP}, {"\033[6~", TOP_KEY_PAGE_DOWN},
                 {"\033[H", TOP_KEY_HOME}, {"\033[1~", TOP_KEY_HOME},    {"\033OH", TOP_KEY_HOME},
                 {"\r", TOP_KEY_ENTER},    {"\n", TOP_KEY_ENTER},        {"\177", TOP_KEY_BACK},
                 {"\b", TOP_KEY_BACK}};
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (str_has_prefix(bytes, str_of(known[i].bytes))) {
            *used = strlen(known[i].bytes);
            return known[i].key;
        }
    }
    *used = bytes.n ? 1 : 0;
    if (bytes.n == 0)
        return TOP_KEY_NONE;
    if (bytes.p[0] != '\033')
        return (unsigned char)bytes.p[0];
    if (bytes.n == 1)
        return TOP_KEY_BACK;
    /* A sequence that is not known ends with its first letter or tilde. */
    size_t i = bytes.p[1] == '[' || bytes.p[1] == 'O' ? 2 : 1;
    while (i < bytes.n && ((unsigned char)bytes.p[i] < 0x40 || (unsigned char)bytes.p[i] > 0x7e))
        i++;
    *used = i < bytes.n ? i + 1 : i;
    return TOP_KEY_NONE;
}

static void terminal_on_keys(uv_poll_t *p, int status, int events)
{
    char bytes[KEYS_READ];
    (void)p, (void)events;
    const ssize_t n = status < 0 ? -1 : read(STDIN_FILENO, bytes, sizeof bytes);
    if (n < 0 && (errno == EINTR || errno == EAGAIN) && status >= 0)
        return;
    if (n <= 0) {
        terminal.events.ended(terminal.events.arg, 0);
        return;
    }
    struct str rest = {bytes, (size_t)n};
    while (rest.n && terminal.is_open) {
        size_t used;
        const int key = top_key_read(rest, &used);
        rest = (struct str){rest.p + used, rest.n - used};
        if (key != TOP_KEY_NONE)
            terminal.events.key(terminal.events.arg, key);
    }
}

/* ---- life ---- */

void top_terminal_size(unsigned *columns, unsigned *rows)
{
    struct winsize size = {0};
    const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row;
    *columns = known ? size.ws_col : COLUMNS_USUAL;
    *rows = known ? size.ws_row : ROWS_USUAL;
}

static void terminal_watch(uv_signal_t *handle, int number, uv_signal_cb on)
{
    uv_signal_init(terminal.loop, handle);
    uv_signal_start(handle, on, number);
}

/* libuv makes what it polls non-blocking, and standard input is shared with the shell. So it polls an epoll that has
 * it. */
static int terminal_watch_input(struct err *err)
{
    struct epoll_event in = {.events = EPOLLIN};
    terminal.watch = epoll_create1(EPOLL_CLOEXEC);
    if (terminal.watch < 0 || epoll_ctl(terminal.watch, EPOLL_CTL_ADD, STDIN_FILENO, &in) < 0)
        return err_errno(err, "read keys");
    return 0;
}

static void terminal_on_closed(uv_handle_t *h)
{
    (void)h;
    close(terminal.watch);
}

int top_terminal_open(uv_loop_t *loop, const struct top_terminal_events *events, struct err *err)
{
    const struct sigaction crash = {.sa_handler = terminal_on_crash, .sa_flags = (int)SA_RESETHAND};
    terminal.loop = loop;
    terminal.events = *events;
    if (tcgetattr(STDIN_FILENO, &terminal.before) < 0)
        return err_errno(err, "use the terminal");
    for (size_t i = 0; i < ARRAY_LEN(crashes); i++)
        sigaction(crashes[i], &crash, NULL);
    int code = terminal_watch_input(err);
    if (code == 0)
        code = terminal_take(err);
    if (code < 0)
        return code;
    terminal.is_open = true;
    for (size_t i = 0; i < ARRAY_LEN(ending); i++)
        terminal_watch(&terminal.ends[i], ending[i], terminal_on_end);
    terminal_watch(&terminal.suspend, SIGTSTP, terminal_on_suspend);
    terminal_watch(&terminal.resize, SIGWINCH, terminal_on_resize);
    uv_poll_init(loop, &terminal.keys, terminal.watch);
    uv_poll_start(&terminal.keys, UV_READABLE, terminal_on_keys);
    return 0;
}

int top_terminal_draw(struct str frame)
{
    int code = fd_write_all(STDOUT_FILENO, "\033[H", 3);
    return code < 0 ? code : fd_write_all(STDOUT_FILENO, frame.p, frame.n);
}

void top_terminal_close(void)
{
    if (!terminal.is_open)
        return;
    terminal.is_open = false;
    terminal_give_back();
    for (size_t i = 0; i < ARRAY_LEN(ending); i++)
        uv_close((uv_handle_t *)&terminal.ends[i], NULL);
    uv_close((uv_handle_t *)&terminal.suspend, NULL);
    uv_close((uv_handle_t *)&terminal.resize, NULL);
    uv_close((uv_handle_t *)&terminal.keys, terminal_on_closed);
}
