/* Blocks on their way through a parser process: what is sent at once, and what was answered. Two loads are asked for at
 * a time, each of a process of its own.
 */
#pragma once

#include "parser/parser_batch.h"

/* Blocks of a load; the part that one may have of what a query may: each answer is a tree that has to be merged, so few
 * large ones cost less. */
enum { BLOCK_LOADS = PARSER_PROCESSES, BLOCK_LOAD_MAX = 32, BLOCK_LOAD_PART = 8 };

/* What came of one request or, after a crash, of a part of it. */
struct block_answer {
    struct buf bytes; /* store/flame_merge.h, checked */
    int64_t block;    /* the first of it */
};

struct block_load {
    int64_t blocks[BLOCK_LOAD_MAX];
    struct buf heads[BLOCK_LOAD_MAX], bytes[BLOCK_LOAD_MAX];
    size_t count, size;
    size_t max; /* bytes of a request, and of an answer */
    /* What came of it. */
    struct block_answer answers[BLOCK_LOAD_MAX];
    size_t answer_count;
    int64_t aside[BLOCK_LOAD_MAX]; /* blocks that ended the parser */
    size_t aside_count;
    unsigned endings[PARSER_ENDINGS];
    int code;
    struct err err;
};
struct block_load *block_load_new(void);
/* NULL is allowed. */
void block_load_free(struct block_load *l);
/* Nothing is in it. */
void block_load_reset(struct block_load *l, size_t max);
bool block_load_has_room(const struct block_load *l);
/* Of requests and answers. */
size_t block_load_bytes(const struct block_load *l);
/* Where the next request is put (store/block.h); block_load_keep() makes it a part of the load. */
void block_load_next(struct block_load *l, struct buf **head, struct buf **bytes);
void block_load_keep(struct block_load *l, int64_t block);
/* Has all of them answered, each by a process; results are in the loads. */
void block_loads_ask(struct block_load **loads, size_t n, struct parser_pool *parsers);
