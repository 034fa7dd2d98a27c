/* The parser processes of the agent: started when something is to be parsed, replaced when they end.
 *
 * PARSER_PROCESSES at most, the second only while the first one is busy (parser/parser_idle.h ends it); a thread has
 * one for itself from parser_pool_take() to parser_pool_give(). A process is an execution of this program's own file
 * with a hidden command (parser/parser_process.h) and an empty environment: no memory of the main process, no
 * secret, other addresses. One that crashed is replaced at once, then after a delay that doubles up to
 * PARSER_BACKOFF_MAX_MS, until one served again. One that has used PARSER_LIFE_S of CPU time is replaced between two
 * intervals of work.
 *
 * Any thread. Libraries do not log: what happened is in the results of parser/parser_interval.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "os/child_end.h"

enum { PARSER_PROCESSES = 2, PARSER_BACKOFF_MS = 100, PARSER_BACKOFF_MAX_MS = 10000, PARSER_LIFE_S = 600 };

struct parser_pool;

struct parser_process_ref {
    unsigned slot;
    unsigned generation; /* another number: another process, which knows of no interval */
    pid_t pid;
    int sock;
};

/* Starts the processes in place of this one, which may have given up the privileges for it. Both are called by any
 * thread, for one `number` by one at a time. -EPIPE: it is gone; this process then starts them itself. */
struct parser_starter {
    /* Executes this program's own file with the arguments NAME, PARSER_COMMAND, `number`. `sock` is its socket. */
    int (*start)(void *arg, unsigned number, int *sock, pid_t *pid, struct err *err);
    int (*end)(void *arg, unsigned number, bool closed, struct child_end *ret); /* os/child_end.h */
    void *arg;
};
/* `name` is the program's, argument 0 of its processes. `starter`, copied, may be NULL. */
struct parser_pool *parser_pool_new(const char *name, const struct parser_starter *starter);
/* Ends the processes. Nobody may have one. */
void parser_pool_free(struct parser_pool *p);

enum { PARSER_ANY = -1, PARSER_RUNNING = -2 };
/* A process for this thread alone. `slot` and `generation`: the one that has the interval open, which may have to be
 * waited for; where that is gone, or `slot` is PARSER_ANY, any. PARSER_RUNNING: one that runs, if it is free soon.
 * `fresh`: one that has served nobody. -EAGAIN: none now, `*retry_ms` says how long to wait; else it is 0. */
must_check int parser_pool_take(struct parser_pool *p, int slot, unsigned generation, bool fresh,
                                struct parser_process_ref *ret, int64_t *retry_ms, struct err *err);
/* It served. */
void parser_pool_give(struct parser_pool *p, const struct parser_process_ref *r);
/* It is of no use any more, and is ended; `closed`: it closed its socket. How it ended, as far as that was by itself: a
 * wait status of waitpid(2), 0 = it was ended here. CPU time it used in its whole life. */
int parser_pool_end(struct parser_pool *p, const struct parser_process_ref *r, bool closed, int64_t *cpu_ns);
/* Likewise, after a request of a client: the next process is not delayed, so that no client can delay conversions. */
int parser_pool_end_for_client(struct parser_pool *p, const struct parser_process_ref *r, bool closed, int64_t *cpu_ns);
/* Whether a process other than the first has had nothing to do for `idle_ms`. */
bool parser_pool_is_idle(struct parser_pool *p, int64_t idle_ms);
/* Ends such processes, and waits for that. An interval that is open there is repeated in another one. */
void parser_pool_trim(struct parser_pool *p, int64_t idle_ms);
/* What is open in that process is not wanted any more: it is replaced before it serves again. */
void parser_pool_retire(struct parser_pool *p, unsigned slot, unsigned generation);

/* Bits of what protects the processes (parser/sandbox.h), of the last that was started. False before any was. */
bool parser_pool_layers(struct parser_pool *p, uint32_t *layers);

/* Chunks kept for a repetition, over all intervals: false when there are too many. */
bool parser_pool_hold(struct parser_pool *p, uint64_t bytes);
void parser_pool_release(struct parser_pool *p, uint64_t bytes);
