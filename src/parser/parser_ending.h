/* How parser processes end: for people and for smolder_parser_restarts_total{reason}. */
#pragma once

#include "base/err.h"

enum parser_ending {
    PARSER_CRASHED,   /* a signal such as SIGSEGV, or an exit */
    PARSER_KILLED,    /* SIGKILL: out of memory, or of CPU time */
    PARSER_FORBIDDEN, /* a system call that is not allowed: SIGSYS */
    PARSER_SILENT,    /* no answer within its deadline */
    PARSER_INVALID,   /* an answer that is none */
    PARSER_ENDINGS,
};

/* `code` of the call that failed (parser/parser_wire.h), `status` of waitpid(2). What is known of a process that ended
 * by itself replaces the text of `err`. */
enum parser_ending parser_ending_of(int code, int status, struct err *err);
/* Adds to the metric, and returns their number. Loop thread. */
unsigned parser_endings_count(const unsigned endings[PARSER_ENDINGS]);
/* smolder_set_aside_total: of `input`, a static text. Loop thread. */
void parser_set_aside_count(const char *input, unsigned n);
