/* Database access of queries, valid during one store_read(). */
#pragma once

#include "parser/parser_batch.h"
#include "store/db.h"
#include "store/limits.h"

struct store_reader {
    struct db *db;
    struct parser_pool *parsers; /* NULL: see parser/parser_batch.h */
    struct store_limits limits;
    int64_t deadline_ms; /* clock_ms() by which the query must be answered; 0 = none */
    /* What happened. */
    struct err damaged; /* code set when a query met a damaged database */
    unsigned endings[PARSER_ENDINGS];
    unsigned set_aside; /* bodies */
};

static inline int64_t reader_limit(int64_t given, int64_t otherwise)
{
    return given ? given : otherwise;
}
/* -ETIMEDOUT behind the deadline. */
must_check int reader_in_time(const struct store_reader *r, struct err *err);
/* Notes that the database is damaged where `code` says so; returns it. */
int reader_noted(struct store_reader *r, int code, const struct err *err);
/* Binds a range of ms since 1970 as ns; both ends are inclusive to the ms. */
void reader_bind_range(sqlite3_stmt *st, int first, int64_t from_ms, int64_t until_ms);
