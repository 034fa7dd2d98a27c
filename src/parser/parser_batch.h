/* Items served by a parser process (parser/parser_service.h), and what survives a crash.
 *
 *     struct parser_batch b = {.pool = pool, .service = &service, .items = items, .count = n, .answer_max = MAX};
 *     while ((code = parser_batch_next(&b, &answer, &err)) != 0) …
 *     parser_batch_done(&b);
 *
 * Items are sent several at a time, as long as that goes well. If a process ends, those it had are done again, each
 * alone, the first one in a new process; an item that ends a process which served nothing else is set aside. Other
 * streams and callers only find another process. Blocks for as long as parser/parser_wire.h allows an answer to take,
 * and while a process is restarted. One thread at a time per batch.
 */
#pragma once

#include <stdbool.h>

#include "parser/parser_ending.h"
#include "parser/parser_pool.h"
#include "parser/parser_service.h"

/* What is sent at once: a process that is busy with it is not there for recordings. Bytes when inflated, about. */
enum { PARSER_BATCH_ITEMS = 256, PARSER_BATCH_BYTES = 4 << 20 };

/* Whether an answer to `n` items can be used: -EBADMSG says why not. The process may have been taken over: everything
 * is checked here. */
typedef int parser_check(void *arg, size_t n, struct str answer, struct err *err);

struct parser_batch {
    struct parser_pool *pool; /* NULL: the calling thread serves, without any protection; for tests and fuzzers */
    const struct parser_service *service;
    const struct parser_item *items; /* borrowed, as what they point to */
    size_t count;
    size_t answer_max; /* bytes, of one answer */
    bool beside;       /* there is another batch at the same time: a second process is started at once */
    parser_check *check;
    void *check_arg;
    /* What happened so far. */
    unsigned endings[PARSER_ENDINGS]; /* processes that ended, by how */
    unsigned set_aside;               /* items */
    /* Private from here. */
    size_t next, alone; /* items before `alone` are sent one by one */
    struct buf answer;
};

struct parser_answer {
    size_t first, n;  /* items */
    struct str bytes; /* valid until the next call */
};

/* 1: an answer, checked. 0: there is none left. -ECANCELED: the item `first` was set aside; the next call goes on
 * behind it. -EAGAIN: no process can be had for now, or it was killed from outside; nothing is lost. Any other code is
 * the service's. */
must_check int parser_batch_next(struct parser_batch *b, struct parser_answer *ret, struct err *err);
void parser_batch_done(struct parser_batch *b);
#define cleanup_parser_batch __attribute__((cleanup(parser_batch_done)))
