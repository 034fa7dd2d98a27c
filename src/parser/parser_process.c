#include "parser/parser_process.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "base/mem.h"
#include "parser/parser_wire.h"
#include "parser/sandbox.h"

struct parser_process {
    int sock;
    const struct parser_service *const *services;
    parser_intruder *intruder;
    struct parser_open {
        uint64_t stream;
        struct convert_service *service;
    } * open; /* few: intervals of more than one chunk */
    size_t open_count, open_cap;
    bool released; /* pages that only the start needed */
    struct parser_room *room;
    struct parser_output output;
};

static struct convert_service **process_find(struct parser_process *p, uint64_t stream)
{
    for (size_t i = 0; i < p->open_count; i++) {
        if (p->open[i].stream == stream)
            return &p->open[i].service;
    }
    xgrow(&p->open, &p->open_cap, p->open_count + 1, sizeof *p->open);
    p->open[p->open_count] = (struct parser_open){stream, convert_service_new()};
    return &p->open[p->open_count++].service;
}

static void process_forget(struct parser_process *p, uint64_t stream)
{
    for (size_t i = 0; i < p->open_count; i++) {
        if (p->open[i].stream != stream)
            continue;
        convert_service_free(p->open[i].service);
        p->open[i] = p->open[--p->open_count];
        return;
    }
}

static void *process_map(const struct parser_request *rq, int fd)
{
    void *bytes = mmap(NULL, rq->rq.size, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED)
        _exit(1);
    return bytes;
}

static void process_convert(struct parser_process *p, const struct parser_request *rq, struct convert_answer *ret)
{
    struct convert_service **s = process_find(p, rq->stream);
    if (rq->rq.op != CONVERT_CHUNK) {
        convert_serve(*s, &rq->rq, p->room->series, ret);
        return;
    }
    void *bytes = rq->by_fd ? process_map(rq, p->room->fd) : p->room->chunk;
    if (p->intruder)
        p->intruder(p->sock, bytes, rq->rq.size);
    convert_serve(*s, &rq->rq, bytes, ret);
    if (rq->by_fd)
        munmap(bytes, rq->rq.size);
}

static bool process_answer_conversion(struct parser_process *p, const struct parser_request *rq)
{
    struct convert_answer a;
    process_convert(p, rq, &a);
    const bool sent = parser_wire_answer(p->sock, &p->output, &a, rq->more);
    convert_answer_done(&a);
    if (rq->rq.op == CONVERT_FINISH)
        process_forget(p, rq->stream);
    return sent;
}

static parser_serve *process_service(const struct parser_process *p, const char *name)
{
    for (size_t i = 0; p->services && p->services[i]; i++) {
        if (strncmp(p->services[i]->name, name, PARSER_SERVICE_NAME) == 0)
            return p->services[i]->serve;
    }
    return NULL;
}

static bool process_answer_service(struct parser_process *p, const struct parser_request *rq)
{
    cleanup_buf struct buf out = BUF_INIT(rq->answer_max);
    cleanup_free struct parser_item *items = xcalloc(rq->items + 1, sizeof *items);
    struct err err = {0};
    parser_serve *serve = process_service(p, rq->service);
    void *bytes = process_map(rq, p->room->fd);
    if (!serve || !parser_wire_items(bytes, rq->rq.size, items, rq->items))
        _exit(1);
    for (size_t i = 0; p->intruder && i < rq->items; i++)
        p->intruder(p->sock, (const uint8_t *)items[i].bytes.p, items[i].bytes.n);
    int code = serve(items, rq->items, &out, &err);
    if (code == 0 && !buf_ok(&out))
        code = err_set(&err, -EMSGSIZE, "the answer is too large");
    munmap(bytes, rq->rq.size);
    struct parser_reply r = {.code = code, .size = code == 0 ? out.len : 0};
    memcpy(r.why, err.text, sizeof r.why);
    return parser_wire_reply(p->sock, &r, out.p);
}

/* One heap that keeps about as much as the conversion of one chunk takes: giving that back
 * to the kernel and faulting it in again each time cost a sixth of all CPU time. */
static void process_keep_small(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 512 * 1024);
    mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
}

void parser_process_run(const char *number, const struct parser_service *const *services, parser_intruder *intruder)
{
    struct parser_process p = {.sock = PARSER_SOCKET, .services = services, .intruder = intruder};
    struct parser_request rq;
    process_keep_small();
    prctl(PR_SET_NAME, "smolder-parser");
    if (!parser_wire_greeting(p.sock, sandbox_enter((unsigned)strtoul(number, NULL, 10), p.sock)))
        _exit(0);
    p.room = xcalloc(1, sizeof *p.room);
    p.room->fd = -1;
    while (parser_wire_next(p.sock, &rq, p.room)) {
        const bool conversion = rq.service[0] == 0;
        const bool sent = conversion ? process_answer_conversion(&p, &rq) : process_answer_service(&p, &rq);
        if (p.room->fd >= 0 && (!conversion || rq.by_fd))
            close(TAKE_FD(p.room->fd));
        if (!sent)
            break;
        if (!p.released && (!conversion || rq.rq.op == CONVERT_FINISH)) {
            sandbox_release_code(); /* once: faults for each interval would cost more than they save */
            p.released = true;
        }
    }
    _exit(0);
}
