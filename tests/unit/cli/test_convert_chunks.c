#include "cli/convert_chunks.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gzip.h"
#include "jfr/chunk_builder.h"
#include "test.h"

enum { MAX = 64 << 20 };

static char path[] = "/tmp/test_convert_chunks.XXXXXX";

static void write_file(struct str bytes)
{
    cleanup_fclose FILE *f = fopen(path, "w");
    if (!f || fwrite(bytes.p, 1, bytes.n, f) != bytes.n)
        abort();
}

/* One chunk, told from others by `mark`, with an event of that size. */
static void put_chunk_with(struct buf *out, int64_t mark, size_t bytes)
{
    struct chunk_builder c = chunk_begin("11 long");
    c.start_ns = mark;
    chunk_event(&c, 300);
    for (size_t i = 0; i < bytes; i++)
        buf_byte(&c.b, 1);
    chunk_event_end(&c);
    chunk_checkpoint(&c, 0, 0);
    chunk_event_end(&c);
    chunk_end(&c);
    buf_str(out, buf_slice(&c.b));
    chunk_done(&c);
}

static void put_chunk(struct buf *out, int64_t mark)
{
    put_chunk_with(out, mark, 0);
}

/* "1 2 ! 3": the marks of chunks, and ! for what was stepped over; at the end the code where it broke off. */
static void walk(struct buf *out)
{
    struct chunks *c;
    struct str chunk;
    struct err err = {0};
    bool recording;
    int more;
    CHECK_INT(chunks_open(path, MAX, &c, &err), 0);
    CHECK_INT(chunks_is_recording(c, &recording, &err), 0);
    CHECK(recording);
    while ((more = chunks_next(c, &chunk, &err)) > 0 || more == -EBADMSG) {
        struct jfr_header h;
        if (more > 0 && jfr_header_read(chunk.p, chunk.n, &h, &err) == 0)
            buf_printf(out, "%lld ", (long long)h.start_ns);
        else
            buf_puts(out, "! ");
        if (more < 0)
            CHECK_HAS(err.text, ": byte ");
    }
    if (more < 0)
        buf_printf(out, "%d", more);
    uint64_t done, total;
    chunks_progress(c, &done, &total);
    CHECK(done <= total);
    chunks_close(c);
}

/* As a file, and as gzip, which is a stream. */
static void check_walk(struct str bytes, const char *want)
{
    cleanup_buf struct buf plain = BUF_INIT(MAX), packed = BUF_INIT(MAX), streamed = BUF_INIT(MAX);
    write_file(bytes);
    walk(&plain);
    CHECK_STR(buf_cstr(&plain), want);
    CHECK_INT(gzip_deflate(bytes, 1, &packed), 0);
    write_file(buf_slice(&packed));
    walk(&streamed);
    CHECK_STR(buf_cstr(&streamed), want);
}

static void chunks_come_in_order_from_files_and_streams(void)
{
    cleanup_buf struct buf b = BUF_INIT(MAX);
    for (int i = 1; i <= 3; i++)
        put_chunk(&b, i);
    check_walk(buf_slice(&b), "1 2 3 ");
}

static void what_is_no_chunk_is_stepped_over_once(void)
{
    cleanup_buf struct buf b = BUF_INIT(MAX);
    put_chunk(&b, 1);
    for (int i = 0; i < 3 << 20; i++) /* longer than what a stream holds at once */
        buf_byte(&b, (uint8_t)(i % 251));
    put_chunk(&b, 2);
    size_t whole = b.len;
    put_chunk(&b, 3);
    check_walk((struct str){(char *)b.p, whole + (b.len - whole) / 2}, "1 ! 2 ! ");
    check_walk(buf_slice(&b), "1 ! 2 3 ");
    check_walk((struct str){(char *)b.p, whole + 5}, "1 ! 2 ! ");
}

static void the_beginning_may_be_lost(void)
{
    cleanup_buf struct buf b = BUF_INIT(MAX);
    for (int i = 0; i < 1000; i++)
        buf_byte(&b, (uint8_t)(i % 251 + 1));
    put_chunk(&b, 1);
    put_chunk(&b, 2);
    check_walk(buf_slice(&b), "! 1 2 ");
}

/* The JDK puts one in each second; a stream holds a part of the chunk at once. */
static void copies_in_a_bad_chunk_are_no_chunks(void)
{
    enum { COPIES = 5, BETWEEN = 3 << 19 };
    cleanup_buf struct buf b = BUF_INIT(MAX), header = BUF_INIT(MAX);
    put_chunk(&header, 77);
    header.p[8 + 7] = 0; /* as the JDK left it: not finished, and so far */
    header.p[64] = 0xff;
    buf_append(&b, header.p, JFR_HEADER_SIZE);
    for (int i = 0; i < COPIES; i++) {
        for (int k = 0; k < BETWEEN; k++)
            buf_byte(&b, (uint8_t)(k % 251));
        const uint64_t size = b.len + JFR_HEADER_SIZE;
        for (unsigned k = 0; k < 8; k++)
            header.p[8 + k] = (uint8_t)(size >> (56 - 8 * k));
        buf_append(&b, header.p, JFR_HEADER_SIZE);
    }
    put_chunk_with(&b, 1, 3 << 20); /* longer than what is held at once */
    put_chunk(&b, 2);
    check_walk(buf_slice(&b), "! 1 2 ");
}

static void zeros_in_front_are_the_space_of_consumed_chunks(void)
{
    cleanup_buf struct buf b = BUF_INIT(MAX);
    for (int i = 0; i < 100000; i++)
        buf_byte(&b, 0);
    put_chunk(&b, 5);
    check_walk(buf_slice(&b), "! 5 ");
}

static void damaged_gzip_ends_it_behind_the_good_chunks(void)
{
    cleanup_buf struct buf b = BUF_INIT(MAX), packed = BUF_INIT(MAX), out = BUF_INIT(MAX);
    char want[32];
    put_chunk(&b, 1);
    put_chunk(&b, 2);
    CHECK_INT(gzip_deflate(buf_slice(&b), 1, &packed), 0);
    write_file((struct str){(char *)packed.p, packed.len - 8}); /* all of the data, none of the trailer */
    walk(&out);
    snprintf(want, sizeof want, "1 2 %d", -EILSEQ);
    CHECK_STR(buf_cstr(&out), want);
}

static void other_input_comes_as_one_piece(void)
{
    struct chunks *c;
    struct err err = {0};
    struct str all;
    bool recording = true;
    write_file(STR("no recording at all"));
    CHECK_INT(chunks_open(path, MAX, &c, &err), 0);
    CHECK_INT(chunks_is_recording(c, &recording, &err), 0);
    CHECK(!recording);
    CHECK_INT(chunks_all(c, 100, &all, &err), 0);
    CHECK(str_is(all, "no recording at all"));
    CHECK_INT(chunks_all(c, 5, &all, &err), -EFBIG);
    chunks_close(c);
    write_file(STR(""));
    CHECK_INT(chunks_open(path, MAX, &c, &err), 0);
    CHECK_INT(chunks_is_recording(c, &recording, &err), -EILSEQ);
    CHECK_HAS(err.text, "empty file");
    chunks_close(c);
    CHECK_INT(chunks_open("/nonexistent/file.jfr", MAX, &c, &err), -ENOENT);
}

int main(void)
{
    close(mkstemp(path));
    RUN(chunks_come_in_order_from_files_and_streams);
    RUN(what_is_no_chunk_is_stepped_over_once);
    RUN(the_beginning_may_be_lost);
    RUN(copies_in_a_bad_chunk_are_no_chunks);
    RUN(zeros_in_front_are_the_space_of_consumed_chunks);
    RUN(damaged_gzip_ends_it_behind_the_good_chunks);
    RUN(other_input_comes_as_one_piece);
    unlink(path);
    return REPORT();
}
