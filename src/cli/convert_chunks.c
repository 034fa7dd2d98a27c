#include "cli/convert_chunks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/stream.h"
#include "cli/convert_foreign.h"
#include "jfr/chunk.h"
#include "jfr/chunks.h"
#include "os/mapped.h"

/* How much of a stream is held at least: a search for a header goes in such steps. MAGIC_BYTES: what tells a header. */
enum { STEP_BYTES = 1 << 20, MAGIC_BYTES = 6 };

struct chunks {
    char *path;
    int fd;
    struct stat st;
    struct mapped map;     /* all of it, or */
    struct stream *stream; /* a part of it, held */
    uint8_t *held;
    size_t held_len, held_cap;
    uint64_t held_from;     /* byte of the input that is the first held */
    uint64_t kept;          /* from this byte on nothing is given up; CHUNKS_KEEP_NONE */
    struct jfr_chunks walk; /* over the mapping, or a window of what is held */
    size_t released;        /* of the mapping */
    bool ended;             /* nothing follows what is held */
    bool window_ended;      /* nothing follows the window */
    bool in_bad;            /* the place reported last goes on in it */
    struct err failed;      /* where reading broke off */
};

static int open_input(struct chunks *c, struct err *err)
{
    if (strcmp(c->path, "-") == 0) {
        free(c->path);
        c->path = xstrdup("standard input");
        c->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
    } else {
        c->fd = open(c->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    }
    if (c->fd < 0 || fstat(c->fd, &c->st) < 0)
        return err_errno(err, "%s", c->path);
    if (S_ISDIR(c->st.st_mode))
        return err_set(err, -EILSEQ, "%s: is a directory", c->path);
    return 0;
}

/* A plain file is mapped; what cannot be is read. */
static bool can_map(const struct chunks *c)
{
    uint8_t begin[2];
    return S_ISREG(c->st.st_mode) && lseek(c->fd, 0, SEEK_CUR) == 0 &&
           pread(c->fd, begin, sizeof begin, 0) == (ssize_t)sizeof begin && !(begin[0] == 0x1f && begin[1] == 0x8b);
}

int chunks_open(const char *path, uint64_t max, struct chunks **ret, struct err *err)
{
    struct chunks *c = xcalloc(1, sizeof *c);
    *c = (struct chunks){.path = xstrdup(path), .fd = -1, .map = MAPPED_INIT, .kept = CHUNKS_KEEP_NONE};
    int code = open_input(c, err);
    if (code < 0) {
        chunks_close(c);
        return code;
    }
    if (can_map(c) && mapped_open(c->fd, &c->map, NULL) == 0)
        c->walk = jfr_chunks_of(c->map.p, c->map.n);
    else
        c->stream = stream_new(c->fd, max);
    *ret = c;
    return 0;
}

void chunks_close(struct chunks *c)
{
    if (!c)
        return;
    mapped_done(&c->map);
    stream_free(c->stream);
    if (c->fd >= 0)
        close(c->fd);
    free(c->held);
    free(c->path);
    free(c);
}

const char *chunks_name(const struct chunks *c)
{
    return c->path;
}

/* Holds `want` bytes, unless the stream ends first. Room is made as bytes come, not as a header claims. */
static void hold(struct chunks *c, uint64_t want)
{
    while (c->held_len < want && !c->ended) {
        size_t step = c->held_len < STEP_BYTES ? STEP_BYTES : c->held_len, got = 0;
        size_t more = (size_t)(want - c->held_len) < step ? (size_t)(want - c->held_len) : step;
        if (c->held_len + more > c->held_cap) {
            c->held_cap = c->held_len + more;
            c->held = xrealloc(c->held, c->held_cap);
        }
        int code = stream_read(c->stream, c->held + c->held_len, more, &got, &c->failed);
        c->held_len += got;
        c->ended = code < 0 || got < more;
    }
}

/* Gives up what lies in front of that byte of the input and is not kept. What stays is moved, so not for little. */
static void give_up(struct chunks *c, uint64_t before)
{
    const bool keeps = c->kept < before;
    const size_t n = (size_t)((keeps ? c->kept : before) - c->held_from);
    if (n == 0 || (keeps && n < c->held_len / 2))
        return;
    memmove(c->held, c->held + n, c->held_len - n);
    c->held_len -= n;
    c->held_from += n;
}

/* Length of a window over what is held that begins at `base` and had `len` bytes, with `want` if there are so many.
 * More may be held, of a walk that went back: it goes on exactly as it did before. */
static size_t window_extend(struct chunks *c, size_t base, size_t len, uint64_t want)
{
    if (len >= want || c->window_ended)
        return len;
    hold(c, base + want);
    c->window_ended = c->held_len - base < want;
    return c->window_ended ? c->held_len - base : (size_t)want;
}

/* Moves the window on to where the walk is: a whole chunk where one begins there, else a step of the search. The size
 * of that chunk, 0 where there is none. */
static uint64_t slide(struct chunks *c)
{
    struct jfr_chunks *w = &c->walk;
    const uint64_t at = w->skipped + (size_t)(w->at - w->start);
    const size_t before = (size_t)(w->end - w->at), spare = w->spare;
    const struct jfr_bad_chunk bad = w->bad;
    struct jfr_header header = {0};
    give_up(c, at);
    const size_t base = (size_t)(at - c->held_from);
    size_t len = window_extend(c, base, before, STEP_BYTES);
    /* Of a chunk however long: what is held may be the header alone. */
    if (len >= JFR_HEADER_SIZE && jfr_header_read(c->held + base, SIZE_MAX, &header, NULL) == 0 &&
        header.size <= CHUNKS_HELD_MAX)
        len = window_extend(c, base, len, header.size + MAGIC_BYTES);
    *w = jfr_chunks_of(c->held + base, len);
    w->spare = spare + (len - before);
    w->skipped = at;
    w->bad = bad;
    return header.size;
}

/* Does what is no chunk go on behind the window? Then the walk stays a little behind, as a header may straddle its
 * end. */
static bool chunks_goes_on(struct chunks *c)
{
    struct jfr_chunks *w = &c->walk;
    if (w->at != w->end || c->window_ended)
        return false;
    if ((size_t)(w->end - w->start) >= MAGIC_BYTES)
        w->at = w->end - (MAGIC_BYTES - 1);
    return true;
}

/* Reading broke off: what came before is good. Damage of this kind is the end, unlike that of a chunk. */
static int broke_off(const struct chunks *c, struct err *err)
{
    *err = c->failed;
    return err_wrap(err, c->failed.code == -EBADMSG ? -EILSEQ : c->failed.code, "%s", c->path);
}

static int next_held(struct chunks *c, struct str *ret, struct err *err)
{
    for (;;) {
        uint64_t size = slide(c);
        if (c->walk.start == c->walk.end && c->failed.code < 0)
            return broke_off(c, err);
        if (jfr_chunks_skip_copies(&c->walk) && c->walk.at != c->walk.end)
            continue; /* what follows them may be longer than the window */
        struct err why;
        int more = jfr_chunks_next(&c->walk, ret, &why);
        bool known = c->in_bad;
        c->in_bad = more <= 0 && chunks_goes_on(c);
        if (more > 0 || (more == 0 && !c->in_bad))
            return more;
        if (known || more == 0)
            continue;
        if (size > CHUNKS_HELD_MAX)
            (void)err_set(&why, -EBADMSG,
                          "byte %llu: chunk of %llu MiB is too large for a pipe or gzip input; use a plain file",
                          (unsigned long long)c->walk.skipped, (unsigned long long)(size >> 20));
        *err = why;
        return err_wrap(err, -EBADMSG, "%s", c->path);
    }
}

/* The pages of what was read are not needed again. */
static void chunks_release(struct chunks *c)
{
    size_t done = (size_t)(c->walk.at - c->walk.start);
    if (done > c->kept)
        done = (size_t)c->kept;
    if (done < c->released || done - c->released < STEP_BYTES)
        return;
    mapped_release(&c->map, done);
    c->released = done;
}

int chunks_next(struct chunks *c, struct str *ret, struct err *err)
{
    if (c->stream)
        return next_held(c, ret, err);
    if (c->walk.at > c->walk.start)
        chunks_release(c);
    int code = jfr_chunks_next(&c->walk, ret, err);
    if (code < 0)
        return err_wrap(err, code, "%s", c->path);
    return code == 0 ? chunks_check(c, err) : code;
}

int chunks_check(const struct chunks *c, struct err *err)
{
    return mapped_torn(&c->map) ? err_set(err, -EIO, "%s: truncated while being read", c->path) : 0;
}

bool chunks_stays(const struct chunks *c)
{
    return !c->stream;
}

void chunks_keep(struct chunks *c, uint64_t from)
{
    c->kept = from;
}

struct chunks_place chunks_place_of(const struct chunks *c)
{
    const struct jfr_chunks *w = &c->walk;
    return (struct chunks_place){.walk = *w,
                                 .at = (size_t)(w->at - w->start),
                                 .last = (size_t)(w->last - w->start),
                                 .len = (size_t)(w->end - w->start),
                                 .ended = c->window_ended,
                                 .in_bad = c->in_bad};
}

void chunks_go_back(struct chunks *c, const struct chunks_place *p)
{
    const uint8_t *start = c->stream ? c->held + (p->walk.skipped - c->held_from) : c->map.p;
    c->walk = p->walk;
    c->walk.start = start;
    c->walk.end = start + p->len;
    c->walk.at = start + p->at;
    c->walk.last = start + p->last;
    c->window_ended = p->ended;
    c->in_bad = p->in_bad;
}

void chunks_refused(struct chunks *c)
{
    jfr_chunks_refused(&c->walk);
}

int chunks_is_recording(struct chunks *c, bool *ret, struct err *err)
{
    static const uint8_t magic[] = {'F', 'L', 'R', 0}, zeros[] = {0, 0, 0, 0};
    if (c->stream)
        hold(c, STEP_BYTES);
    const uint8_t *p = c->stream ? c->held : c->map.p;
    size_t n = c->stream ? c->held_len : c->map.n;
    if (n == 0 && c->failed.code < 0)
        return broke_off(c, err);
    if (n == 0)
        return err_set(err, -EILSEQ, "%s: empty file", c->path);
    const int code = foreign_check(c->path, (struct str){(const char *)p, n}, err);
    if (code < 0)
        return code;
    *ret = n >= sizeof zeros &&
           (memcmp(p, zeros, sizeof zeros) == 0 || memcmp(p, magic, sizeof magic) == 0 || jfr_chunks_any(p, n));
    if (c->stream) { /* held already, so that it would not be counted */
        c->walk = jfr_chunks_of(c->held, c->held_len);
        c->window_ended = c->ended;
    }
    return 0;
}

int chunks_all(struct chunks *c, size_t max, struct str *ret, struct err *err)
{
    if (c->stream)
        hold(c, (uint64_t)max + 1);
    if (c->failed.code < 0)
        return broke_off(c, err);
    struct str all =
        c->stream ? (struct str){(const char *)c->held, c->held_len} : (struct str){(const char *)c->map.p, c->map.n};
    if (all.n > max)
        return err_set(err, -EFBIG, "%s: not a recording, and larger than %zu MiB", c->path, max >> 20);
    *ret = all;
    return 0;
}

void chunks_progress(const struct chunks *c, uint64_t *done, uint64_t *total)
{
    *done = c->stream ? stream_taken(c->stream) : (uint64_t)(c->walk.at - c->walk.start);
    *total = S_ISREG(c->st.st_mode) && c->st.st_size > 0 ? (uint64_t)c->st.st_size : 0;
}

uint64_t chunks_at(const struct chunks *c)
{
    return c->walk.skipped + (uint64_t)(c->walk.last - c->walk.start);
}

const struct stat *chunks_stat(const struct chunks *c)
{
    return &c->st;
}
