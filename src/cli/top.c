/* smolder top: the hottest services and methods, live in a terminal, or as a table for scripts. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "cli/agent_client.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/store_flags.h"
#include "cli/top_server.h"
#include "cli/top_session.h"
#include "cli/top_terminal.h"
#include "lang/duration.h"

enum { OUTPUT_MAX = 4 << 20, INTERVAL_LEAST_MS = 500, ROWS_FOR_SCRIPTS = 20, COUNT_MAX = 1 << 20 };

struct top_flags {
    const char *from, *token_file, *service, *type, *range, *interval, *sort, *rows, *count;
    bool once, batch, json, help;
};

#define AT(field) offsetof(struct top_flags, field)
static const struct flag flags[] = {
    {"from", FLAG_STRING, AT(from), "", "URL",
     "A store, another server with Pyroscope's query API, or the HTTP API of an agent with an embedded store. Empty: "
     "the agent at " AGENT_CLIENT_URL ", or without one the store at http://" STORE_DEFAULT "."},
    {"token-file", FLAG_STRING, AT(token_file), "", "FILE",
     "File with the token of a store with --store.auth=token: store.token in its data directory."},
    {"service", FLAG_STRING, AT(service), "", "NAME", "Methods of this service; empty = of all."},
    {"type", FLAG_STRING, AT(type), "", "TYPE",
     "Profile type, or its beginning: process_cpu, memory:alloc, mutex. Empty: CPU time, or the first there is."},
    {"range", FLAG_STRING, AT(range), "1m", "DURATION", "Time before the newest profile that is summed up, from 10s."},
    {"interval", FLAG_STRING, AT(interval), "5s", "DURATION", "Time between two looks."},
    {"sort", FLAG_CHOICE, AT(sort), "self", "self|total|name", "Order of methods."},
    {"rows", FLAG_STRING, AT(rows), "20", "N", "With --once and --batch: at most so many services and methods."},
    {"once", FLAG_BOOL, AT(once), NULL, NULL,
     "Print one table and exit; the default where standard output or input is no terminal."},
    {"batch", FLAG_BOOL, AT(batch), NULL, NULL, "Print a table after each interval."},
    {"count", FLAG_STRING, AT(count), "0", "N", "With --batch: exit after so many tables; 0 = never."},
    {"json", FLAG_BOOL, AT(json), NULL, NULL, "With --once and --batch: print an object per table, one a line."},
    {"help", FLAG_BOOL, AT(help), NULL, NULL, "-h: print this help and exit.", 'h'},
    {NULL},
};

static void top_help(void)
{
    fputs("NAME\n"
          "  smolder top - show the hottest services and methods\n\n"
          "SYNOPSIS\n"
          "  smolder top [--from=URL] [FLAGS]\n\n"
          "DESCRIPTION\n"
          "  Shows the services of a store with what they use, and the methods that use most of it: CPU time,\n"
          "  allocated memory, waits for locks, whatever profiles there are. Values are means over the range.\n"
          "  In a terminal the display is live; elsewhere, or with --once or --batch, tables are printed.\n\n"
          "FLAGS [default]\n",
          stdout);
    flags_help(flags, stdout);
    fputs("\nKEYS\n"
          "  q, Ctrl-C         Quit.\n"
          "  Up, Down, k, j    Select a service; its methods are shown.\n"
          "  Enter             Methods only, and back.       Escape, Backspace  All services.\n"
          "  PgUp, PgDn, Home  Scroll the methods.\n"
          "  s                 Sort methods by self, total, name.\n"
          "  t, T              Next, previous profile type.\n"
          "  +, -              Double or halve the range.\n"
          "  p, Space          Pause.                        r  Look now.\n\n"
          "EXIT STATUS\n"
          "  0 success   2 usage error   3 system error, or no answer\n\n"
          "EXAMPLES\n"
          "  smolder top\n"
          "  smolder top --from=http://pyroscope:4040 --service=shop --type=memory:alloc\n"
          "  smolder top --once --json | jq -r '.methods[0].name'\n",
          stdout);
}

struct top {
    struct top_flags flags;
    uv_loop_t loop;
    uv_timer_t timer;
    uv_signal_t signals[2]; /* of a batch */
    struct top_session session;
    int64_t interval_ms;
    uint64_t rows, count, tables;
    bool live, paused, methods_only, ending;
    size_t first_method;
    int status;
    struct err err;
};

/* ---- output ---- */

/* The lines of a frame are Unicode where the locale is. */
static bool top_is_ascii(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return !strcasestr(value, "utf-8") && !strcasestr(value, "utf8");
    }
    return true;
}

static void top_view_of(const struct top *t, struct top_view *v)
{
    *v = (struct top_view){
        .paused = t->paused, .methods_only = t->methods_only, .ascii = top_is_ascii(), .first_method = t->first_method};
    top_session_view(&t->session, v);
}

static void top_end(struct top *t, int status)
{
    if (t->ending)
        return;
    t->ending = true;
    t->status = status;
    top_terminal_close();
    uv_stop(&t->loop);
}

static void top_draw(struct top *t)
{
    unsigned columns, rows;
    struct top_view v;
    cleanup_buf struct buf frame = BUF_INIT(OUTPUT_MAX);
    if (t->ending)
        return;
    top_terminal_size(&columns, &rows);
    top_view_of(t, &v);
    top_screen_frame(&v, &t->session.services, &t->session.methods, columns, rows, &frame);
    if (top_terminal_draw(buf_slice(&frame)) < 0)
        top_end(t, EXIT_OK); /* the terminal is gone */
}

static void top_print(struct top *t)
{
    struct top_view v;
    cleanup_buf struct buf out = BUF_INIT(OUTPUT_MAX);
    top_view_of(t, &v);
    if (t->flags.json)
        top_screen_json(&v, &t->session.services, &t->session.methods, t->rows, &out);
    else
        top_screen_table(&v, &t->session.services, &t->session.methods, t->rows, &out);
    if (!t->flags.json && t->flags.batch)
        buf_byte(&out, '\n');
    if (terminal_write(STDOUT_FILENO, buf_slice(&out)) < 0)
        top_end(t, EXIT_SYSTEM);
}

/* ---- rounds ---- */

static void top_on_timer(uv_timer_t *timer)
{
    struct top *t = timer->data;
    top_session_ask(&t->session);
}

static void top_wait(struct top *t)
{
    if (!t->paused)
        uv_timer_start(&t->timer, top_on_timer, (uint64_t)t->interval_ms, 0);
}

static void top_on_table(struct top *t)
{
    const bool failed = *t->session.problem.text;
    if (failed)
        terminal_printf(stderr, "smolder top: %s\n", t->session.problem.text);
    else
        top_print(t);
    if (!t->flags.batch)
        top_end(t, failed ? EXIT_SYSTEM : EXIT_OK);
    else if (t->count && ++t->tables == t->count)
        top_end(t, EXIT_OK);
    else
        top_wait(t);
}

static void top_on_round(void *arg)
{
    struct top *t = arg;
    if (t->ending)
        return;
    if (t->live) {
        top_draw(t);
        top_wait(t);
    } else {
        top_on_table(t);
    }
}

static void top_ask_now(struct top *t)
{
    uv_timer_stop(&t->timer);
    top_session_ask(&t->session);
}

/* ---- keys ---- */

static void top_set_range(struct top *t, int64_t ms)
{
    if (ms >= TOP_RANGE_LEAST_MS && ms <= TOP_RANGE_MOST_MS)
        t->session.range_ms = ms;
    top_ask_now(t);
}

static void top_scroll(struct top *t, int by)
{
    unsigned columns, rows;
    struct top_view v;
    top_terminal_size(&columns, &rows);
    top_view_of(t, &v);
    const size_t page = top_screen_method_rows(&v, t->session.services.len, rows);
    if (by < 0)
        t->first_method = t->first_method > page ? t->first_method - page : 0;
    else if (t->first_method + page < t->session.methods.len)
        t->first_method += page;
}

/* What changes the question, so that it is asked at once. False: another key. */
static bool top_key_asks(struct top *t, int key)
{
    switch (key) {
    case TOP_KEY_UP:
    case 'k':
        top_session_move(&t->session, -1);
        break;
    case TOP_KEY_DOWN:
    case 'j':
        top_session_move(&t->session, 1);
        break;
    case TOP_KEY_BACK:
        t->methods_only = false;
        top_session_select(&t->session, NULL);
        break;
    case 't':
        top_session_turn_type(&t->session, 1);
        break;
    case 'T':
        top_session_turn_type(&t->session, -1);
        break;
    case 'r':
        break;
    default:
        return false;
    }
    t->first_method = key == 'r' ? t->first_method : 0;
    top_ask_now(t);
    return true;
}

static void top_key_shows(struct top *t, int key)
{
    switch (key) {
    case TOP_KEY_ENTER:
        t->methods_only = !t->methods_only;
        break;
    case TOP_KEY_PAGE_UP:
        top_scroll(t, -1);
        break;
    case TOP_KEY_PAGE_DOWN:
        top_scroll(t, 1);
        break;
    case TOP_KEY_HOME:
        t->first_method = 0;
        break;
    case 's':
        t->first_method = 0;
        top_session_sort(&t->session, (t->session.sort + 1) % TOP_SORTS);
        break;
    case '+':
        top_set_range(t, t->session.range_ms * 2);
        break;
    case '-':
        top_set_range(t, t->session.range_ms / 2);
        break;
    case 'p':
    case ' ':
        t->paused = !t->paused;
        if (t->paused)
            uv_timer_stop(&t->timer);
        else
            top_ask_now(t);
        break;
    default:
        break;
    }
}

static void top_on_key(void *arg, int key)
{
    struct top *t = arg;
    if (key == 'q') {
        top_end(t, EXIT_OK);
        return;
    }
    if (!top_key_asks(t, key))
        top_key_shows(t, key);
    top_draw(t);
}

static void top_on_resize(void *arg)
{
    top_draw(arg);
}

static void top_on_end(void *arg, int why)
{
    (void)why;
    top_end(arg, EXIT_OK);
}

static void top_on_signal(uv_signal_t *s, int number)
{
    (void)number;
    top_end(s->data, EXIT_OK);
}

/* ---- life ---- */

static int top_read_duration(const char *flag, const char *text, int64_t least_ms, int64_t most_ms, int64_t *ret_ms,
                             struct err *err)
{
    int64_t ns = 0;
    struct err why = {0};
    if (duration_parse(str_of(text), &ns, &why) < 0 || ns / NS_PER_MS < least_ms || ns / NS_PER_MS > most_ms)
        return err_set(err, -EINVAL, "--%s=%s: expected a duration from %lld ms to %lld s, such as 30s", flag, text,
                       (long long)least_ms, (long long)most_ms / 1000);
    *ret_ms = ns / NS_PER_MS;
    return 0;
}

static int top_read_count(const char *flag, const char *text, uint64_t least, uint64_t *ret, struct err *err)
{
    if (!str_to_u64(str_of(text), ret) || *ret < least || *ret > COUNT_MAX)
        return err_set(err, -EINVAL, "--%s=%s: expected a number from %llu to %d", flag, text,
                       (unsigned long long)least, COUNT_MAX);
    return 0;
}

static int top_read_flags(struct top *t, int64_t *range_ms, struct err *err)
{
    const struct top_flags *f = &t->flags;
    int code = top_read_duration("interval", f->interval, INTERVAL_LEAST_MS, TOP_RANGE_MOST_MS, &t->interval_ms, err);
    if (code == 0)
        code = top_read_duration("range", f->range, TOP_RANGE_LEAST_MS, TOP_RANGE_MOST_MS, range_ms, err);
    if (code == 0)
        code = top_read_count("rows", f->rows, 1, &t->rows, err);
    if (code == 0)
        code = top_read_count("count", f->count, 0, &t->count, err);
    t->live = !f->once && !f->batch && !f->json && top_terminal_is_one();
    return code;
}

static int top_take_terminal(struct top *t, struct err *err)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    if (t->live)
        return top_terminal_open(
            &t->loop,
            &(struct top_terminal_events){.key = top_on_key, .resized = top_on_resize, .ended = top_on_end, .arg = t},
            err);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        uv_signal_init(&t->loop, &t->signals[i]);
        t->signals[i].data = t;
        uv_signal_start(&t->signals[i], top_on_signal, numbers[i]);
    }
    return 0;
}

static enum top_sort top_sort_of(const char *name)
{
    for (size_t i = 0; i < TOP_SORTS; i++)
        if (strcmp(top_sort_names[i], name) == 0)
            return (enum top_sort)i;
    return TOP_SELF;
}

static void top_close_handle(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

static int top_start(struct top *t, int64_t range_ms, struct err *err)
{
    struct top_server *server = NULL;
    const struct top_server_options options = {&t->loop, t->flags.from, t->flags.token_file};
    int code = top_server_open(&options, &server, err);
    if (code < 0)
        return code;
    top_session_init(&t->session, server, top_on_round, t);
    t->session.wanted_type = t->flags.type;
    t->session.range_ms = range_ms;
    t->session.sort = top_sort_of(t->flags.sort);
    if (*t->flags.service)
        top_session_select(&t->session, t->flags.service);
    return top_take_terminal(t, err);
}

static int top_show(struct top *t, int64_t range_ms, struct err *err)
{
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&t->loop);
    uv_timer_init(&t->loop, &t->timer);
    t->timer.data = t;
    const int code = top_start(t, range_ms, err);
    if (code == 0) {
        if (t->live)
            top_draw(t);
        top_session_ask(&t->session);
        uv_run(&t->loop, UV_RUN_DEFAULT);
    }
    t->ending = true;
    if (t->session.server)
        top_session_done(&t->session);
    uv_run(&t->loop, UV_RUN_NOWAIT);
    uv_walk(&t->loop, top_close_handle, NULL);
    uv_run(&t->loop, UV_RUN_DEFAULT);
    uv_loop_close(&t->loop);
    return code;
}

static int top_run(int argc, char **argv)
{
    struct top t = {0};
    struct flags_rest rest = {0};
    struct err err = {0};
    int64_t range_ms = 0;
    int code = flags_parse(flags, argc, argv, &t.flags, &rest, &err);
    free(rest.items);
    if (code == 0 && t.flags.help) {
        top_help();
        return EXIT_OK;
    }
    if (code == 0 && rest.len)
        code = err_set(&err, -EINVAL, "unexpected argument; see smolder top --help");
    if (code == 0)
        code = top_read_flags(&t, &range_ms, &err);
    if (code < 0) {
        terminal_printf(stderr, "smolder top: %s\n", err.text);
        return EXIT_USAGE;
    }
    code = top_show(&t, range_ms, &err);
    if (code < 0) {
        terminal_printf(stderr, "smolder top: %s\n", err.text);
        return EXIT_SYSTEM;
    }
    return t.status;
}

const struct command command_top = {"top", "smolder top [--from=URL]", "Show the hottest services and methods, live.",
                                    top_run};
