/* The border of a conversion (convert/message.h) on a socket, between the main process and a parser process.
 *
 * A request is a fixed struct; the series of CONVERT_OPEN follow it, the chunk of CONVERT_CHUNK is a sealed memfd that
 * comes with it, so its bytes are copied once. An answer is a convert_reply, its profiles each followed by its bytes,
 * and its series. The side that parses may have been taken over: everything it sends is checked, sizes before memory
 * is allocated for them, and a silent, endless or slow answer ends at a deadline.
 *
 * The request of a service (parser/parser_service.h) is one memfd: a parser_item_sizes per item, then head and bytes of
 * each. Its answer is a parser_reply and that many bytes.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "convert/service.h"
#include "parser/parser_service.h"

struct parser_request {
    char service[PARSER_SERVICE_NAME]; /* "" = a conversion */
    uint64_t stream;                   /* whose interval: each has its own in the process */
    struct convert_request rq;         /* of a service only `size`: of the memfd */
    uint64_t items, answer_max;        /* of a service */
};
struct parser_item_sizes {
    uint64_t head, bytes;
};
struct parser_reply {
    int32_t code; /* 0, or a negative errno */
    char why[ERR_MAX];
    uint64_t size;
};

/* What a process says once its sandbox is complete. */
struct parser_hello {
    uint32_t layers; /* parser/sandbox.h */
};

/* Deadlines of one answer: CPU time, time in which it slept and that clock stood still, time. A conversion stops by
 * itself after 2 s of CPU time (pprof/limits.h), a finish takes less. Bytes of all profiles of an answer. */
enum { PARSER_CPU_MS = 8000, PARSER_STILL_MS = 4000, PARSER_WALL_MS = 60000, PARSER_ANSWER_MAX = 64 << 20 };

/* Watches over one process while it answers. The kernel counts its CPU time; what it says of that is not believed. */
struct parser_watch {
    pid_t pid;
    clockid_t clock;
    int64_t began_ms, cpu_began_ns;
    int64_t checked_ms;
    int64_t moved_ms, cpu_moved_ns; /* when its CPU time last was another one */
};
void parser_watch_begin(struct parser_watch *w, pid_t pid);
/* Since then; 0 where the process is gone. */
int64_t parser_watch_cpu_ns(const struct parser_watch *w);

/* ---- the main process; blocks ---- */

/* A chunk as a sealed memfd. */
must_check int parser_wire_seal(const void *bytes, size_t n, int *ret, struct err *err);
/* Items of a service likewise, and the request for them. */
must_check int parser_wire_seal_items(const struct parser_service *s, const struct parser_item *items, size_t n,
                                      size_t answer_max, struct parser_request *rq, int *ret, struct err *err);
/* The first message of a process. -EPIPE, -ETIMEDOUT. */
must_check int parser_wire_greet(int sock, struct parser_watch *w, uint32_t *layers, struct err *err);
/* Asks and reads the answer, checked against `o`. `fd` is the chunk's, or -1. -EPIPE: the process ended; -ETIMEDOUT: it
 * does not answer; -EBADMSG: what it answers is none. After each of these it is of no use any more. */
must_check int parser_wire_ask(int sock, struct parser_watch *w, const struct parser_request *rq, const void *range,
                               int fd, const struct convert_options *o, struct convert_answer *ret, struct err *err);

/* As parser_wire_ask() of a service: `out`, which is empty, gets the answer and bounds it. `refused` is the code of the
 * reply, with its reason in `err`. */
must_check int parser_wire_ask_service(int sock, struct parser_watch *w, const struct parser_request *rq, int fd,
                                       struct buf *out, int *refused, struct err *err);

/* ---- the parser process ---- */

/* The next request with its range; `fd` is the chunk's, -1 for none. False at the end. */
must_check bool parser_wire_next(int sock, struct parser_request *rq, uint64_t *series, int *fd);
must_check bool parser_wire_greeting(int sock, uint32_t layers);
must_check bool parser_wire_answer(int sock, const struct convert_answer *a);
/* The items in a request's memory, which has `size` bytes. False where they are not there. */
must_check bool parser_wire_items(const uint8_t *bytes, size_t size, struct parser_item *items, size_t n);
must_check bool parser_wire_reply(int sock, const struct parser_reply *r, const void *bytes);
