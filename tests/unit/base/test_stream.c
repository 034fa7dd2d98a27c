#include "base/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gzip.h"
#include "test.h"

enum { MAX = 1 << 20 };

static struct str sample(void)
{
    static char text[200000];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * i >> 3);
    return (struct str){text, sizeof text};
}

static int file_of(struct str bytes)
{
    int fd = memfd_create("stream", MFD_CLOEXEC);
    if (fd < 0 || write(fd, bytes.p, bytes.n) != (ssize_t)bytes.n || lseek(fd, 0, SEEK_SET) != 0)
        abort();
    return fd;
}

/* Reads everything in steps; the failure it ended with, 0 = none. */
static int read_in_steps(int fd, uint64_t max, size_t step, struct buf *out, struct err *err)
{
    struct stream *s = stream_new(fd, max);
    int code;
    size_t got;
    do {
        uint8_t *to = buf_reserve(out, step);
        if (!to)
            abort();
        code = stream_read(s, to, step, &got, err);
        out->len += got;
    } while (code == 0 && got == step);
    if (code < 0) /* it sticks */
        CHECK_INT(stream_read(s, out->p, 1, &got, err), code);
    stream_free(s);
    return code;
}

static void check_read(struct str bytes, uint64_t max, int want_code, size_t want_len)
{
    static const size_t steps[] = {1 << 19, 65536, 977};
    for (size_t i = 0; i < 3; i++) {
        cleanup_buf struct buf out = BUF_INIT(4 * MAX);
        cleanup_close int fd = file_of(bytes);
        struct err err = {0};
        CHECK_INT(read_in_steps(fd, max, steps[i], &out, &err), want_code);
        CHECK_INT(out.len, want_len);
        size_t n = want_len < sample().n ? want_len : sample().n;
        CHECK(n == 0 || memcmp(out.p, sample().p, n) == 0);
    }
}

static void plain_bytes_pass_as_they_are(void)
{
    check_read(sample(), MAX, 0, sample().n);
    check_read((struct str){sample().p, 1}, MAX, 0, 1);
    check_read(STR(""), MAX, 0, 0);
    check_read(sample(), 10, 0, sample().n); /* the limit is for what inflates */
}

static void members_are_one_stream_and_what_follows_is_ignored(void)
{
    cleanup_buf struct buf packed = BUF_INIT(MAX), two = BUF_INIT(2 * MAX);
    CHECK_INT(gzip_deflate(sample(), 6, &packed), 0);
    check_read(buf_slice(&packed), MAX, 0, sample().n);
    buf_str(&two, buf_slice(&packed));
    buf_str(&two, buf_slice(&packed));
    check_read(buf_slice(&two), MAX, 0, 2 * sample().n);
    buf_str(&packed, STR("\0\0\0 padding"));
    check_read(buf_slice(&packed), MAX, 0, sample().n);
}

static void damage_and_bombs_end_it_after_the_good_bytes(void)
{
    cleanup_buf struct buf packed = BUF_INIT(MAX), none = BUF_INIT(MAX);
    struct err err = {0};
    CHECK_INT(gzip_deflate(sample(), 6, &packed), 0);
    check_read(buf_slice(&packed), 1000, -EFBIG, 1000);
    cleanup_close int cut = file_of((struct str){(char *)packed.p, packed.len - 20});
    CHECK_INT(read_in_steps(cut, MAX, 4096, &none, &err), -EBADMSG);
    CHECK_STR(err.text, "gzip: truncated");
    CHECK(none.len > 100000 && memcmp(none.p, sample().p, none.len) == 0);
    packed.p[packed.len - 6] ^= 1; /* the checksum */
    cleanup_close int bad = file_of(buf_slice(&packed));
    buf_reset(&none);
    CHECK_INT(read_in_steps(bad, MAX, 4096, &none, &err), -EBADMSG);
    CHECK_HAS(err.text, "gzip: damaged");
}

int main(void)
{
    RUN(plain_bytes_pass_as_they_are);
    RUN(members_are_one_stream_and_what_follows_is_ignored);
    RUN(damage_and_bombs_end_it_after_the_good_bytes);
    return REPORT();
}
