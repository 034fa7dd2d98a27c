/* Database access of queries, valid during one store_read(). */
#pragma once

#include "parser/parser_batch.h"
#include "store/db.h"

struct store_reader {
    struct db *db;
    struct parser_pool *parsers; /* NULL: see parser/parser_batch.h */
    /* What happened. */
    struct err damaged; /* code set when a query met a damaged database */
    unsigned endings[PARSER_ENDINGS];
    unsigned set_aside; /* bodies */
};
