/* The border of a conversion (convert/message.h) on a socket, between the main process and a parser process.
 *
 * A request is a fixed struct; the series of CONVERT_OPEN follow it, and so does a chunk of CONVERT_CHUNK of up to
 * PARSER_INLINE bytes. A larger one is a sealed memfd that comes with it, so its bytes are copied once; the life of a
 * memfd costs more than to copy a few pages twice. An answer is a convert_reply, its profiles each followed by its
 * bytes, and its series. The side that parses may have been taken over: everything it sends is checked, sizes before
 * memory is allocated for them, and a silent, endless or slow answer ends at a deadline.
 *
 * Requests of one interval are sent together (parser_wire_send()), and so are their answers: waking the other process
 * up costs more than most of what it is asked for.
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
    bool more;                         /* the next request was sent with it: the answer may be sent with that one's */
    bool by_fd;                        /* of a chunk: it is in the memfd; else it follows */
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

/* Requests of an interval at a time: open, a chunk, finish; replies before the last; bytes read at a time. */
enum { PARSER_TOGETHER = 3, PARSER_HELD = PARSER_TOGETHER - 1, PARSER_INPUT = 8192 };
/* Bytes of a chunk that follow its request: less than a socket takes at once. */
enum { PARSER_INLINE = 64 << 10 };

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
/* What goes with requests; NULL or -1 where there is none. */
struct parser_ranges {
    const uint64_t *series; /* of a CONVERT_OPEN */
    const void *chunk;      /* of a CONVERT_CHUNK that is not by_fd */
    int fd;                 /* of one that is */
};
/* Sends `n` requests as one message. -EPIPE: the process ended; -ETIMEDOUT: it does not read. */
must_check int parser_wire_send(int sock, struct parser_watch *w, struct parser_request *rq, size_t n,
                                const struct parser_ranges *ranges, struct err *err);

/* Bytes that a process answered, and that nobody took yet. */
struct parser_input {
    int sock;
    size_t at, len;
    int64_t checked_ms; /* when the deadlines were */
    uint8_t bytes[PARSER_INPUT];
};
/* Where the answers to what was sent are read from, one after the other; may be left as it is. */
void parser_input_begin(struct parser_input *in, int sock);
/* The answer to a request with that `op`, checked against `o`. -EPIPE: the process ended; -ETIMEDOUT: it does not
 * answer; -EBADMSG: what it answers is none. After each of these it is of no use any more. */
must_check int parser_wire_receive(struct parser_input *in, struct parser_watch *w, uint32_t op,
                                   const struct convert_options *o, struct convert_answer *ret, struct err *err);
/* After the last one. -EBADMSG: it answered more than it was asked. */
must_check int parser_input_end(const struct parser_input *in, struct err *err);

/* Asks a service: `out`, which is empty, gets the answer and bounds it. `refused` is the code of the reply, with its
 * reason in `err`. Else as parser_wire_send() and parser_wire_receive(). */
must_check int parser_wire_ask_service(int sock, struct parser_watch *w, const struct parser_request *rq, int fd,
                                       struct buf *out, int *refused, struct err *err);

/* ---- the parser process ---- */

/* Where a process puts what comes with a request. */
struct parser_room {
    uint64_t series[CONVERT_SERIES_MAX];
    uint8_t chunk[PARSER_INLINE];
    int fd; /* -1 = none */
};
/* The next request with its range. A descriptor comes with the first of those sent together; one that was not used by
 * then is closed. False at the end. */
must_check bool parser_wire_next(int sock, struct parser_request *rq, struct parser_room *room);
must_check bool parser_wire_greeting(int sock, uint32_t layers);
/* Replies without ranges that are sent with the next. */
struct parser_output {
    struct convert_reply held[PARSER_HELD];
    size_t held_count;
};
/* `more`: as in the request. */
must_check bool parser_wire_answer(int sock, struct parser_output *out, const struct convert_answer *a, bool more);
/* The items in a request's memory, which has `size` bytes. False where they are not there. */
must_check bool parser_wire_items(const uint8_t *bytes, size_t size, struct parser_item *items, size_t n);
must_check bool parser_wire_reply(int sock, const struct parser_reply *r, const void *bytes);
