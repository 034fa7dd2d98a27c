/* One interval of a stream, converted in a parser process: what the main process asks for, and what survives a crash.
 *
 * A step opens the interval where it is not, adds a chunk, finishes it. Answers are checked before anything of them is
 * used. The chunks of an open interval are kept until it is finished, large ones sealed, so that whatever happens to a
 * process it is only done again: in a new process, alone. What ended two processes is set aside and the rest of the
 * interval is converted without it: a chunk, or the whole interval where it ends them when it is finished. Other
 * streams only find another process that has not read their chunks yet, and send these again.
 *
 * One thread at a time per interval; blocks for as long as parser/parser_wire.h allows an answer to take.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "convert/service.h"
#include "jfr/shared_chunk.h"
#include "parser/parser_ending.h"
#include "parser/parser_pool.h"

struct parser_interval;

/* Whoever fills a step in owns it until it is run, and again when it has been. */
struct parser_step {
    /* What to do. */
    bool open;                      /* the interval begins: with the next three */
    struct convert_options options; /* also what answers are checked against */
    uint64_t *series;               /* known ones; owned, may be NULL */
    size_t series_count;
    struct jfr_chunk *chunk; /* a reference, given up when the interval is over or it was copied; NULL = none */
    int64_t received_ns;     /* wall clock, when that came */
    bool finish;
    /* What came of it. */
    int64_t retry_ms;            /* not 0: nothing yet, no process can be had for this long; run it again */
    bool is_open;                /* the interval goes on */
    bool answered;               /* at all: else the answer says nothing */
    int chunk_code, finish_code; /* 0, or a negative errno; `why` is of the later one */
    char why[ERR_MAX];
    int64_t cpu_ns; /* of the processes, by the kernel's count */
    /* Of the last request that was answered: settings and cuts; of a finished interval profiles and series. */
    struct convert_answer answer;
    unsigned endings[PARSER_ENDINGS]; /* processes that ended, by how */
    char ending[ERR_MAX];             /* of the last of these, for people */
    unsigned set_aside;               /* chunks */
};

struct parser_interval *parser_interval_new(struct parser_pool *pool);
void parser_interval_free(struct parser_interval *i); /* an open interval is given up; NULL is fine */

void parser_interval_run(struct parser_interval *i, struct parser_step *step);
/* Gives back what is left in it. */
void parser_step_done(struct parser_step *step);
