/* Database access of queries, valid during one store_read(). */
#pragma once

#include "base/map.h"
#include "parser/parser_batch.h"
#include "store/db.h"
#include "store/limits.h"

struct block_cache;

struct store_reader {
    struct db *db;
    struct parser_pool *parsers; /* NULL: see parser/parser_batch.h */
    struct store_limits limits;
    int64_t deadline_ms;       /* clock_ms() by which the query must be answered; 0 = none */
    struct block_cache *cache; /* of answers (store/block_cache.h); NULL = none */
    struct u64map *known;      /* what was reported as damaged before; NULL = nothing */
    size_t held;               /* bytes that a merge has selected so far, beside its graph */
    /* What happened. */
    unsigned left_out;     /* parts that are damaged, and not known as such */
    struct err left_which; /* the first of them: "block 7" */
    struct err damaged;    /* code set when a query met a damaged database */
    unsigned endings[PARSER_ENDINGS];
    unsigned set_aside; /* bodies */
};

static inline int64_t reader_limit(int64_t given, int64_t otherwise)
{
    return given ? given : otherwise;
}
/* -ETIMEDOUT behind the deadline. */
must_check int reader_in_time(const struct store_reader *r, struct err *err);
/* Bytes a query may have at once. */
size_t reader_memory(const struct store_reader *r);
/* -EMSGSIZE: the error of a query that needs more. */
int reader_too_large(const struct store_reader *r, struct err *err);
/* -EMSGSIZE: with these bytes a query has more. */
must_check int reader_in_memory(const struct store_reader *r, size_t bytes, struct err *err);
/* -EMSGSIZE: so many profiles are more than a query may have merged one by one. */
must_check int reader_count_profiles(const struct store_reader *r, size_t n, struct err *err);
/* Notes that the database is damaged where `code` says so; returns it. */
int reader_noted(struct store_reader *r, int code, const struct err *err);
/* A part was left out, as it is damaged: it is counted once as long as the store is open. */
enum reader_part { READER_BODY, READER_SLICE, READER_BLOCK };
void reader_leave_out(struct store_reader *r, enum reader_part what, int64_t id);
/* A range in ns, both ends inclusive. */
void reader_range_ns(int64_t from_ms, int64_t until_ms, int64_t *from_ns, int64_t *until_ns);
/* Binds a range of ms since 1970 as ns; both ends are inclusive to the ms. */
void reader_bind_range(sqlite3_stmt *st, int first, int64_t from_ms, int64_t until_ms);
/* Adds what happened to parser processes, and to items on their way. */
void reader_count_endings(struct store_reader *r, const unsigned endings[static PARSER_ENDINGS], unsigned set_aside);
