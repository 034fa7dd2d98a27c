/* One turn of an interval, as a worker takes it: opens the interval where it is not, adds a chunk, finishes it.
 *
 * The asking side of convert/message.h: it makes the requests, has them answered and believes nothing of an answer
 * that does not pass its checks. Any thread; whoever fills a step in owns it until it is run, and again when it has
 * been.
 */
#pragma once

#include "convert/service.h"
#include "jfr/shared_chunk.h"

struct convert_step {
    /* What to do. */
    bool open;                      /* the interval begins: with the next two */
    struct convert_options options; /* also what answers are checked against */
    uint64_t *series;               /* known ones; owned, may be NULL */
    size_t series_count;
    struct jfr_chunk *chunk; /* a reference, given up once it was read; NULL = none */
    int64_t received_ns;     /* wall clock, when that came */
    bool finish;
    /* What came of it. */
    bool is_open;                /* the interval goes on */
    bool answered;               /* at all: else the answer says nothing */
    int chunk_code, finish_code; /* 0, or a negative errno; `why` is of the later one */
    char why[ERR_MAX];
    int64_t cpu_ns; /* of whoever answered */
    /* Of the last request that was answered: settings and cuts; of a finished interval profiles and series. */
    struct convert_answer answer;
};

void convert_step_run(struct convert_step *step, struct convert_service *s);
/* Gives back what is left in it. */
void convert_step_done(struct convert_step *step);
