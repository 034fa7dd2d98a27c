#include "parser/parser_batch.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/gzip.h"
#include "parser/parser_wire.h"

/* A process that is replaced is waited for this long. */
enum { BATCH_WAIT_MS = 1000 };

/* gzip ends with the size of what it holds (RFC 1952 §2.3.1). It may be a lie, which costs time and nothing else. */
static size_t batch_weight(const struct parser_item *item)
{
    const uint8_t *p = (const uint8_t *)item->bytes.p;
    const size_t n = item->bytes.n;
    if (n < 18 || !gzip_is(item->bytes))
        return n;
    const size_t plain = p[n - 4] | (size_t)p[n - 3] << 8 | (size_t)p[n - 2] << 16 | (size_t)p[n - 1] << 24;
    return plain > n ? plain : n;
}

/* How many are sent at once. */
static size_t batch_size(const struct parser_batch *b)
{
    size_t n = 0, bytes = 0;
    while (b->next + n < b->count && n < PARSER_BATCH_ITEMS) {
        const size_t weight = batch_weight(&b->items[b->next + n]);
        if (n && (b->next + n <= b->alone || weight > PARSER_BATCH_BYTES - bytes))
            break;
        n++;
        bytes += weight < PARSER_BATCH_BYTES ? weight : PARSER_BATCH_BYTES;
    }
    return n;
}

static int batch_take(struct parser_batch *b, bool fresh, struct parser_process_ref *r, struct err *err)
{
    int64_t retry_ms;
    const int which = b->beside ? PARSER_ANY : PARSER_RUNNING;
    for (const int64_t until = clock_ms() + BATCH_WAIT_MS;;) {
        if (parser_pool_take(b->pool, which, 0, fresh, r, &retry_ms, err) == 0)
            return 0;
        if (clock_ms() + retry_ms > until)
            return -EAGAIN;
        poll(NULL, 0, (int)retry_ms);
    }
}

static int batch_check(const struct parser_batch *b, size_t n, struct err *err)
{
    return b->check ? b->check(b->check_arg, n, buf_slice(&b->answer), err) : 0;
}

/* Once through a process. Negative: that is of no use any more. */
static int batch_ask(struct parser_batch *b, const struct parser_process_ref *r, struct parser_watch *w, size_t n,
                     const struct parser_request *rq, int fd, int *refused, struct err *err)
{
    parser_watch_begin(w, r->pid);
    const int code = parser_wire_ask_service(r->sock, w, rq, fd, &b->answer, refused, err);
    return code < 0 || *refused ? code : batch_check(b, n, err);
}

/* The process ended with `n` items in it. 0: do them again. */
static int batch_lost_process(struct parser_batch *b, const struct parser_process_ref *r, size_t n, bool fresh,
                              int code, struct err *err)
{
    int64_t cpu_ns;
    const int status = parser_pool_end_for_client(b->pool, r, code == -EPIPE, &cpu_ns);
    const enum parser_ending how = parser_ending_of(code, status, err);
    b->endings[how]++;
    if (!fresh || n > 1) {
        b->alone = b->next + n > b->alone ? b->next + n : b->alone;
        return 0;
    }
    if (how == PARSER_KILLED)
        return err_wrap(err, -EAGAIN, "the parser");
    b->set_aside++;
    b->next++;
    return err_wrap(err, -ECANCELED, "ended the parser twice and was set aside");
}

static int batch_attempt(struct parser_batch *b, size_t n, bool fresh, bool *again, struct err *err)
{
    struct parser_process_ref r;
    struct parser_watch w;
    struct parser_request rq;
    int refused = 0;
    cleanup_close int fd = -1;
    int code = parser_wire_seal_items(b->service, &b->items[b->next], n, b->answer_max, &rq, &fd, err);
    if (code < 0 || (code = batch_take(b, fresh, &r, err)) < 0)
        return -EAGAIN;
    code = batch_ask(b, &r, &w, n, &rq, fd, &refused, err);
    if (code == 0) {
        parser_pool_give(b->pool, &r);
        return refused;
    }
    code = batch_lost_process(b, &r, n, fresh, code, err);
    *again = code == 0;
    return code;
}

static int batch_serve_here(struct parser_batch *b, size_t n, struct err *err)
{
    const int code = b->service->serve(&b->items[b->next], n, &b->answer, err);
    return code < 0 ? code : batch_check(b, n, err);
}

int parser_batch_next(struct parser_batch *b, struct parser_answer *ret, struct err *err)
{
    int code;
    bool again, fresh = false;
    size_t n;
    do {
        again = false;
        buf_done(&b->answer);
        b->answer = BUF_INIT(b->answer_max);
        if ((n = batch_size(b)) == 0)
            return 0;
        *ret = (struct parser_answer){.first = b->next, .n = n};
        code = b->pool ? batch_attempt(b, n, fresh, &again, err) : batch_serve_here(b, n, err);
        fresh = again;
    } while (again);
    if (code < 0)
        return code;
    b->next += n;
    ret->bytes = buf_slice(&b->answer);
    return 1;
}

void parser_batch_done(struct parser_batch *b)
{
    buf_done(&b->answer);
}
