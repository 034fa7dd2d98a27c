#include "cli/record_progress.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/terminal.h"

enum { TICK_MS = 500 };
static const double KILO = 1 << 10;

static double record_seconds(int64_t ns)
{
    return (double)ns / 1e9;
}

static void record_on_tick(uv_timer_t *t)
{
    const struct record_progress *p = t->data;
    if (p->quiet || !p->terminal || !p->began_ns)
        return;
    int64_t since = clock_ns() - p->began_ns;
    since = since > p->duration_ns ? p->duration_ns : since;
    terminal_printf(stderr, "smolder record: %s: %.0f of %.0f s, %.0f KiB; Ctrl-C keeps what is there", p->title,
                    record_seconds(since), record_seconds(p->duration_ns), (double)p->spool->bytes / KILO);
    fputs("\033[K\r", stderr);
    fflush(stderr);
}

static void record_on_signal(uv_signal_t *s, int number)
{
    struct record_progress *p = s->data;
    (void)number;
    if (p->interrupted)
        return;
    p->interrupted = true;
    p->interrupt(p->arg);
}

void record_progress_open(struct record_progress *p, uv_loop_t *loop)
{
    static const int numbers[RECORD_SIGNALS] = {SIGINT, SIGTERM, SIGHUP};
    p->terminal = isatty(STDERR_FILENO);
    uv_timer_init(loop, &p->tick);
    p->tick.data = p;
    uv_timer_start(&p->tick, record_on_tick, TICK_MS, TICK_MS);
    for (size_t i = 0; i < RECORD_SIGNALS; i++) {
        uv_signal_init(loop, &p->signals[i]);
        p->signals[i].data = p;
        uv_signal_start(&p->signals[i], record_on_signal, numbers[i]);
    }
}

void record_progress_begin(struct record_progress *p)
{
    if (p->began_ns)
        return;
    p->began_ns = clock_ns();
    if (!p->quiet && !p->terminal)
        terminal_printf(stderr, "smolder record: recording %s for %.0f s\n", p->title, record_seconds(p->duration_ns));
}

void record_progress_close(struct record_progress *p)
{
    if (!p->quiet && p->terminal && p->began_ns)
        fputs("\033[K", stderr);
    if (!p->quiet && p->spool->chunks)
        terminal_printf(stderr, "smolder record: %s: %s after %.1f s, %.0f KiB\n", p->title,
                        p->interrupted ? "interrupted" : "done", record_seconds(p->spool->end_ns - p->spool->start_ns),
                        (double)p->spool->bytes / KILO);
    uv_close((uv_handle_t *)&p->tick, NULL);
    for (size_t i = 0; i < RECORD_SIGNALS; i++)
        uv_close((uv_handle_t *)&p->signals[i], NULL);
}
