#include "parser/parser_ending.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/metric.h"

static const char *const names[PARSER_ENDINGS] = {
    [PARSER_CRASHED] = "crashed", [PARSER_KILLED] = "killed",   [PARSER_FORBIDDEN] = "forbidden",
    [PARSER_SILENT] = "silent",   [PARSER_INVALID] = "invalid",
};

static struct metric_family parser_restarts_total = {.name = "smolder_parser_restarts_total",
                                                     .help = "Parser processes that ended while parsing, by reason.",
                                                     .kind = METRIC_COUNTER,
                                                     .labels = {"reason"}};

static struct metric_family set_aside_total = {
    .name = "smolder_set_aside_total",
    .help = "Inputs of HTTP clients that ended the parser process twice, by kind.",
    .kind = METRIC_COUNTER,
    .labels = {"input"}};

enum parser_ending parser_ending_of(int code, int status, struct err *err)
{
    if (code == -ETIMEDOUT)
        return PARSER_SILENT;
    if (code == -EBADMSG)
        return PARSER_INVALID;
    if (!WIFSIGNALED(status)) {
        err_set(err, code, "it exited with status %d", WEXITSTATUS(status));
        return PARSER_CRASHED;
    }
    if (WTERMSIG(status) == SIGSYS) {
        err_set(err, code, "it tried a system call that it may not make (SIGSYS)");
        return PARSER_FORBIDDEN;
    }
    if (WTERMSIG(status) == SIGKILL) {
        err_set(err, code, "it was killed: out of memory or CPU time (SIGKILL)");
        return PARSER_KILLED;
    }
    err_set(err, code, "it crashed (SIG%s)", sigabbrev_np(WTERMSIG(status)));
    return PARSER_CRASHED;
}

unsigned parser_endings_count(const unsigned endings[PARSER_ENDINGS])
{
    unsigned n = 0;
    for (size_t i = 0; i < PARSER_ENDINGS; i++) {
        n += endings[i];
        if (endings[i])
            metric_add(&parser_restarts_total, endings[i], names[i]);
    }
    return n;
}

void parser_set_aside_count(const char *input, unsigned n)
{
    if (n)
        metric_add(&set_aside_total, n, input);
}
