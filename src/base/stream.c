#include "base/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/unpack.h"

/* 15 bits of window, with a gzip header: zlib.h, inflateInit2. */
enum { IN_BYTES = 64 * 1024, GZIP_WINDOW = 15 + 16, MIN_HEADER = 2 };

struct stream {
    int fd;
    uint64_t max, made, taken;
    uint8_t in[IN_BYTES];
    size_t at, len; /* what of `in` is not used up */
    bool begun, gzip, ended;
    bool member_done; /* between two gzip members */
    z_stream z;
    struct unpacker *unpacker; /* of other formats; NULL = it is of none */
    bool unpacked;             /* to its end */
    struct err failed;
};

struct stream *stream_new(int fd, uint64_t max)
{
    struct stream *s = xcalloc(1, sizeof *s);
    s->fd = fd;
    s->max = max;
    return s;
}

void stream_free(struct stream *s)
{
    if (!s)
        return;
    if (s->gzip)
        inflateEnd(&s->z);
    unpacker_free(s->unpacker);
    free(s);
}

uint64_t stream_taken(const struct stream *s)
{
    return s->taken;
}

/* Makes sure of `want` bytes in `in`, unless the input ends first. */
static int stream_fill(struct stream *s, size_t want, struct err *err)
{
    if (s->len - s->at >= want || s->ended)
        return 0;
    memmove(s->in, s->in + s->at, s->len - s->at);
    s->len -= s->at;
    s->at = 0;
    while (s->len < want && !s->ended) {
        ssize_t n = read(s->fd, s->in + s->len, IN_BYTES - s->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, "read");
        s->ended = n == 0;
        s->len += (size_t)n;
        s->taken += (size_t)n;
    }
    return 0;
}

static bool gzip_begins(const struct stream *s)
{
    return s->len - s->at >= MIN_HEADER && s->in[s->at] == 0x1f && s->in[s->at + 1] == 0x8b;
}

static int stream_begin(struct stream *s, struct err *err)
{
    int code = stream_fill(s, UNPACK_BEGIN, err);
    if (code < 0)
        return code;
    s->begun = true;
    const struct unpack_format *f = unpack_recognise((struct str){(const char *)s->in + s->at, s->len - s->at});
    if (f)
        return unpacker_new(f, &s->unpacker, err);
    if (!gzip_begins(s))
        return 0;
    if (inflateInit2(&s->z, GZIP_WINDOW) != Z_OK)
        return err_set(err, -ENOMEM, "gzip: out of memory");
    s->gzip = true;
    return 0;
}

static int read_plain(struct stream *s, uint8_t *to, size_t n, size_t *got, struct err *err)
{
    int code = 0;
    while (*got < n && (code = stream_fill(s, 1, err)) == 0 && s->at < s->len) {
        size_t left = s->len - s->at, take = n - *got < left ? n - *got : left;
        memcpy(to + *got, s->in + s->at, take);
        s->at += take;
        *got += take;
    }
    return code;
}

/* Another member, or the end: padding and other bytes after the last member are left alone, as gzip -d does. */
static int next_member(struct stream *s, bool *more, struct err *err)
{
    int code = stream_fill(s, MIN_HEADER, err);
    *more = code == 0 && gzip_begins(s);
    if (*more) {
        inflateReset(&s->z);
        s->member_done = false;
    }
    return code;
}

static int read_gzip(struct stream *s, uint8_t *to, size_t n, size_t *got, struct err *err)
{
    while (*got < n) {
        bool more = true;
        int code = s->member_done ? next_member(s, &more, err) : stream_fill(s, 1, err);
        if (code < 0 || !more)
            return code;
        size_t room = n - *got < UINT32_MAX ? n - *got : UINT32_MAX;
        s->z.next_in = s->in + s->at;
        s->z.avail_in = (uInt)(s->len - s->at);
        s->z.next_out = to + *got;
        s->z.avail_out = (uInt)room;
        int result = inflate(&s->z, Z_NO_FLUSH);
        s->at = s->len - s->z.avail_in;
        *got += room - s->z.avail_out;
        if (result == Z_STREAM_END)
            s->member_done = true;
        else if (result == Z_BUF_ERROR || (result == Z_OK && s->ended && s->at == s->len && s->z.avail_out))
            return err_set(err, -EBADMSG, "gzip: truncated");
        else if (result != Z_OK)
            return err_set(err, -EBADMSG, "gzip: damaged%s%s", s->z.msg ? ": " : "", s->z.msg ? s->z.msg : "");
    }
    return 0;
}

static int read_packed(struct stream *s, uint8_t *to, size_t n, size_t *got, struct err *err)
{
    while (*got < n && !s->unpacked) {
        int code = stream_fill(s, 1, err);
        if (code < 0)
            return code;
        struct unpack_io io = {s->in + s->at, s->len - s->at, to + *got, n - *got};
        code = unpacker_step(s->unpacker, &io, s->ended, err);
        s->at = s->len - io.in_len;
        *got = n - io.out_len;
        if (code < 0)
            return code;
        s->unpacked = code > 0;
    }
    return 0;
}

static int read_any(struct stream *s, uint8_t *to, size_t n, size_t *got, struct err *err)
{
    if (s->unpacker)
        return read_packed(s, to, n, got, err);
    return s->gzip ? read_gzip(s, to, n, got, err) : read_plain(s, to, n, got, err);
}

int stream_read(struct stream *s, void *to, size_t n, size_t *got, struct err *err)
{
    *got = 0;
    if (s->failed.code) {
        if (err)
            *err = s->failed;
        return s->failed.code;
    }
    struct err why = {0};
    int code = s->begun ? 0 : stream_begin(s, &why);
    if (code == 0)
        code = read_any(s, to, n, got, &why);
    if ((s->gzip || s->unpacker) && *got > s->max - s->made) {
        *got = s->max - s->made;
        code = err_set(&why, -EFBIG, "inflates to more than %llu MiB", (unsigned long long)(s->max >> 20));
    }
    s->made += *got;
    if (code < 0) {
        s->failed = why;
        if (err)
            *err = why;
    }
    return code;
}
