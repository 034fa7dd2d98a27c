#include "jfr/chunks.h"

#include <errno.h>

#include "jfr/chunk_builder.h"
#include "test.h"

/* A recording put together from parts. */
static struct chunk_builder whole(void)
{
    struct chunk_builder c = chunk_begin("11 long");
    chunk_checkpoint(&c, 0, 0);
    chunk_event_end(&c);
    chunk_end(&c);
    return c;
}

static void append(struct buf *file, const struct chunk_builder *c)
{
    buf_append(file, c->b.p, c->b.len);
}

static void check_chunk(struct jfr_chunks *it, size_t len)
{
    struct str chunk = {0};
    struct err err = {0};
    CHECK_INT(jfr_chunks_next(it, &chunk, &err), 1);
    CHECK_INT(chunk.n, len);
    CHECK_STR(err.text, "");
}

static void check_bad(struct jfr_chunks *it, const char *why)
{
    struct str chunk = {0};
    struct err err = {0};
    CHECK_INT(jfr_chunks_next(it, &chunk, &err), -EBADMSG);
    CHECK_HAS(err.text, why);
}

static void check_end(struct jfr_chunks *it)
{
    struct str chunk;
    CHECK_INT(jfr_chunks_next(it, &chunk, NULL), 0);
}

static void chunks_come_in_file_order(void)
{
    cleanup_chunk struct chunk_builder c = whole();
    cleanup_buf struct buf file = BUF_INIT(CHUNK_MAX);
    append(&file, &c);
    append(&file, &c);
    struct jfr_chunks it = jfr_chunks_of(file.p, file.len);
    check_chunk(&it, c.b.len);
    CHECK_INT(it.at - it.start, c.b.len);
    check_chunk(&it, c.b.len);
    check_end(&it);
    check_end(&it);
}

static void nothing_has_no_chunks(void)
{
    struct jfr_chunks it = jfr_chunks_of(NULL, 0);
    check_end(&it);
    it = jfr_chunks_of("F", 1);
    check_bad(&it, "byte 0: chunk header: 1 of 68 bytes");
    check_end(&it);
}

static void what_is_no_chunk_is_named_and_stepped_over(void)
{
    cleanup_chunk struct chunk_builder c = whole();
    cleanup_buf struct buf file = BUF_INIT(CHUNK_MAX);
    buf_puts(&file, "some log lines that another program left here, longer than a header and without any sense for us");
    size_t junk = file.len;
    append(&file, &c);
    append(&file, &c);
    chunk_be(&c, 16, 0, 8);
    buf_append(&file, c.b.p, c.b.len); /* never finished */
    chunk_end(&c);
    append(&file, &c);
    buf_append(&file, c.b.p, c.b.len - 1); /* torn */
    struct jfr_chunks it = jfr_chunks_of(file.p, file.len);
    check_bad(&it, "byte 0: chunk header: no JFR magic");
    CHECK_INT(it.at - it.start, junk);
    check_chunk(&it, c.b.len);
    check_chunk(&it, c.b.len);
    check_bad(&it, "never finished");
    check_chunk(&it, c.b.len);
    check_bad(&it, "is cut at");
    check_end(&it);
}

static void a_refused_chunk_may_hide_others(void)
{
    cleanup_chunk struct chunk_builder c = whole();
    cleanup_buf struct buf file = BUF_INIT(CHUNK_MAX);
    append(&file, &c);
    file.len -= 10; /* its end never reached the disk */
    append(&file, &c);
    append(&file, &c);
    struct jfr_chunks it = jfr_chunks_of(file.p, file.len);
    check_chunk(&it, c.b.len);
    jfr_chunks_refused(&it);
    check_chunk(&it, c.b.len);
    check_chunk(&it, c.b.len);
    check_end(&it);
}

/* Chunks within chunks within chunks: each byte is handed out a few times, not once per header. */
static void refusing_everything_comes_to_an_end(void)
{
    enum { HEADERS = 1000 };
    cleanup_chunk struct chunk_builder c = whole();
    cleanup_buf struct buf file = BUF_INIT(CHUNK_MAX);
    size_t handed_out = 0;
    for (size_t i = 0; i < HEADERS; i++) {
        chunk_be(&c, 8, (HEADERS - i) * JFR_HEADER_SIZE, 8);
        chunk_be(&c, 16, JFR_HEADER_SIZE, 8);
        buf_append(&file, c.b.p, i + 1 < HEADERS ? JFR_HEADER_SIZE : JFR_HEADER_SIZE + 8);
    }
    struct jfr_chunks it = jfr_chunks_of(file.p, file.len);
    struct str chunk;
    for (int more; (more = jfr_chunks_next(&it, &chunk, NULL)) != 0;) {
        handed_out += more > 0 ? chunk.n : 0;
        jfr_chunks_refused(&it);
    }
    CHECK(handed_out <= 3 * file.len);
}

int main(void)
{
    RUN(chunks_come_in_file_order);
    RUN(nothing_has_no_chunks);
    RUN(what_is_no_chunk_is_named_and_stepped_over);
    RUN(a_refused_chunk_may_hide_others);
    RUN(refusing_everything_comes_to_an_end);
    return REPORT();
}
