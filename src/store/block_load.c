#include "store/block_load.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/block.h"
#include "store/flame_merge.h"

struct block_load *block_load_new(void)
{
    return xcalloc(1, sizeof(struct block_load));
}

void block_load_reset(struct block_load *l, size_t max)
{
    for (size_t i = 0; i < BLOCK_LOAD_MAX; i++) {
        buf_done(&l->heads[i]);
        buf_done(&l->bytes[i]);
        buf_done(&l->answers[i].bytes);
    }
    *l = (struct block_load){.max = max};
}

void block_load_free(struct block_load *l)
{
    if (!l)
        return;
    block_load_reset(l, 0);
    free(l);
}

bool block_load_has_room(const struct block_load *l)
{
    return l->count < BLOCK_LOAD_MAX && l->size < PARSER_BATCH_BYTES && l->size < l->max / BLOCK_LOAD_PART;
}

size_t block_load_bytes(const struct block_load *l)
{
    size_t bytes = l->size;
    for (size_t i = 0; i < l->answer_count; i++)
        bytes += l->answers[i].bytes.len;
    return bytes;
}

void block_load_next(struct block_load *l, struct buf **head, struct buf **bytes)
{
    *head = &l->heads[l->count];
    *bytes = &l->bytes[l->count];
    buf_done(*head);
    buf_done(*bytes);
    **head = **bytes = BUF_INIT(l->max);
}

void block_load_keep(struct block_load *l, int64_t block)
{
    l->size += l->heads[l->count].len + l->bytes[l->count].len;
    l->blocks[l->count++] = block;
}

/* Takes an answer over, so that it is not copied. */
static void block_load_answered(struct block_load *l, struct parser_batch *b, size_t first)
{
    l->answers[l->answer_count++] = (struct block_answer){b->answer, l->blocks[first]};
    b->answer = BUF_INIT(0);
}

static void block_load_ask(struct block_load *l, struct parser_pool *parsers, bool beside)
{
    struct parser_item items[BLOCK_LOAD_MAX];
    for (size_t i = 0; i < l->count; i++)
        items[i] = (struct parser_item){buf_slice(&l->heads[i]), buf_slice(&l->bytes[i])};
    cleanup_parser_batch struct parser_batch b = {.pool = parsers,
                                                  .beside = beside,
                                                  .service = &block_flame_service,
                                                  .items = items,
                                                  .count = l->count,
                                                  .answer_max = l->max < FLAME_MERGE_MAX ? l->max : FLAME_MERGE_MAX,
                                                  .check = flame_merge_check};
    struct parser_answer a;
    int code;
    while ((code = parser_batch_next(&b, &a, &l->err)) > 0 || code == -ECANCELED) {
        if (code == 1)
            block_load_answered(l, &b, a.first);
        else
            l->aside[l->aside_count++] = l->blocks[a.first];
    }
    memcpy(l->endings, b.endings, sizeof l->endings);
    l->code = code;
}

struct block_asking {
    struct block_load *load;
    struct parser_pool *parsers;
};

static void *block_asking_run(void *arg)
{
    const struct block_asking *a = arg;
    block_load_ask(a->load, a->parsers, true);
    return NULL;
}

void block_loads_ask(struct block_load **loads, size_t n, struct parser_pool *parsers)
{
    pthread_t threads[BLOCK_LOADS];
    struct block_asking asking[BLOCK_LOADS];
    size_t running = 0;
    for (size_t i = 1; i < n; i++) {
        asking[i] = (struct block_asking){loads[i], parsers};
        if (pthread_create(&threads[i], NULL, block_asking_run, &asking[i]) != 0)
            break;
        running = i;
    }
    for (size_t i = 0; i < n; i = i ? i + 1 : running + 1)
        block_load_ask(loads[i], parsers, running > 0);
    for (size_t i = 1; i <= running; i++)
        pthread_join(threads[i], NULL);
}
