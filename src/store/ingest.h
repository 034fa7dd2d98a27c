/* Stores one push, in the journal. What its profiles hold is found out by a parser process (store/digest.h); here they
 * are bytes. Runs in a worker, inside the caller's transaction.
 *
 * What is stored already, in the journal or packed (store/slices.h), is not stored again. A profile without a time has
 * that of its first push; when it is packed, it is recognised for INGEST_TIMELESS_NS from then on. */
#pragma once

#include "flow/series.h"
#include "parser/parser_batch.h"
#include "store/db.h"

#define INGEST_TIMELESS_NS (INT64_C(24) * 3600 * 1000000000)

struct ingest_context {
    struct db *db;
    struct parser_pool *parsers; /* NULL: see parser/parser_batch.h */
    /* What happened so far, added to. */
    unsigned endings[PARSER_ENDINGS];
    unsigned set_aside; /* profiles */
    bool no_parser;     /* none could be had: asked for no more */
    size_t bytes;       /* of new bodies */
};

/* -EINVAL: invalid push, with the reason. -ECANCELED: a profile ended the parser twice. -EAGAIN: no parser process can
 * be had. Other codes: database errors. */
must_check int ingest_push(struct ingest_context *c, const struct series *series, size_t n, struct err *err);
