/* What the store keeps of a pushed pprof beside its bytes. Made in a parser process, where the pprof is decoded; read
 * where it is stored, which decodes nothing.
 *
 * An answer of the service has a digest per item, in order; it ends early with the first item that is refused. It is
 * read in place: fixed structs, texts with their length, numbers. What a process that was taken over can say with one
 * is a profile that it makes up.
 */
#pragma once

#include "base/cursor.h"
#include "flow/labels.h"
#include "parser/parser_service.h"
#include "pprof/profile.h"

enum { DIGEST_MAX = 32 << 20, DIGEST_HASH = 16 };

struct digest_split {
    int64_t number;             /* store/splits.h */
    const struct label *labels; /* those that split */
    size_t label_count;
    const int64_t *totals; /* per type, not negative */
};

struct digest {
    int code;          /* negative: refused, and nothing else is here */
    char why[ERR_MAX]; /* "pprof: invalid label" */
    struct str hash;   /* XXH3-128 of the inflated pprof */
    int64_t time_nanos, duration_nanos;
    struct str types[PROFILE_TYPES_MAX]; /* "cpu:nanoseconds:cpu:nanoseconds": type, unit, those of the period */
    size_t type_count;
    struct digest_split *splits; /* owned */
    size_t split_count;
    struct str *strings; /* private from here; owned */
    struct label *labels;
    int64_t *totals;
};
void digest_done(struct digest *d);
#define cleanup_digest __attribute__((cleanup(digest_done)))

/* Items: a pprof each, plain or gzip; no head. */
extern const struct parser_service digest_service;
/* A parser_check (parser/parser_batch.h) of its answers. */
must_check int digest_check(void *arg, size_t n, struct str answer, struct err *err);
/* The next digest; texts are borrowed from the answer. -EBADMSG. */
must_check int digest_read(struct cursor *c, struct digest *ret, struct err *err);
