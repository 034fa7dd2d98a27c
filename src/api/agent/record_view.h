/* Flame graphs of a profile for the page, made in a parser process: of each sample type one.
 *
 * An item is a pprof, gzip-compressed or plain, without a head. The answer is JSON, [{"sample_type","unit","total",
 * "node_count","truncated", and the members of page/flame_json.h},…]. It is passed on to the page as it is: a process
 * that was taken over can make up a graph, which the page shows as text, and nothing else.
 */
#pragma once

#include "parser/parser_service.h"

/* Bytes of an answer: of each sample type a graph of RECORD_VIEW_NODES. */
enum { RECORD_VIEW_MAX = 16 << 20, RECORD_VIEW_NODES = 8192 };

extern const struct parser_service record_view_service;
/* A parser_check (parser/parser_batch.h) of its answers: whether it is there as a whole. */
must_check int record_view_check(void *arg, size_t n, struct str answer, struct err *err);
