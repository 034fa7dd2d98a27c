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

/* JDK 9 and 10, and a file of several JDKs. */
static void chunks_of_version_1_are_found(void)
{
    cleanup_chunk struct chunk_builder c = whole();
    cleanup_buf struct buf file = BUF_INIT(CHUNK_MAX);
    chunk_be(&c, 4, 0, 2);
    buf_append(&file, c.b.p, c.b.len);
    CHECK(!jfr_chunks_any(file.p, file.len));
    chunk_be(&c, 4, 1, 2);
    buf_append(&file, c.b.p, c.b.len);
    append(&file, &c);
    CHECK(jfr_chunks_any(file.p, file.len));
    struct jfr_chunks it = jfr_chunks_of(file.p, file.len);
    check_bad(&it, "byte 0: chunk header: version 0.0 is not supported");
    check_chunk(&it, c.b.len);
    check_chunk(&it, c.b.len);
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

/* Once a second, as the JDK does it: the copy says how long the chunk is with it. */
static void put_copy(struct chunk_builder *c)
{
    const size_t at = c->b.len;
    uint8_t header[JFR_HEADER_SIZE];
    memcpy(header, c->b.p, sizeof header);
    buf_append(&c->b, header, sizeof header);
    const uint64_t size = c->b.len;
    for (unsigned i = 0; i < 8; i++)
        c->b.p[at + 8 + i] = (uint8_t)(size >> (56 - 8 * i));
}

static void copies_of_a_bad_chunks_header_are_no_chunks(void)
{
    cleanup_chunk struct chunk_builder bad = whole(), good = whole();
    cleanup_buf struct buf file = BUF_INIT(CHUNK_MAX), rest = BUF_INIT(CHUNK_MAX);
    chunk_be(&bad, 32, 1600000000, 8); /* another time than the good ones */
    for (int i = 0; i < 3; i++) {
        buf_puts(&bad.b, "events and pools");
        put_copy(&bad);
    }
    chunk_be(&bad, 8, bad.b.len + 50, 8);
    append(&file, &bad); /* cut short, and */
    for (int i = 0; i < 3; i++)
        append(&file, &good);
    struct jfr_chunks it = jfr_chunks_of(file.p, file.len);
    check_chunk(&it, bad.b.len + 50); /* is wrong inside, as another begins there */
    jfr_chunks_refused(&it);
    for (int i = 0; i < 3; i++)
        check_chunk(&it, good.b.len);
    check_end(&it);
    /* Its beginning is lost: one bad place, and the first copy, which looks like a chunk. */
    buf_append(&rest, bad.b.p + JFR_HEADER_SIZE, bad.b.len - JFR_HEADER_SIZE);
    append(&rest, &good);
    it = jfr_chunks_of(rest.p, rest.len);
    check_bad(&it, "byte 0: chunk header: no JFR magic");
    struct str copy;
    CHECK_INT(jfr_chunks_next(&it, &copy, NULL), 1);
    jfr_chunks_refused(&it);
    check_chunk(&it, good.b.len);
    check_end(&it);
}

/* The same recording twice, the first time torn: but for the one place where only a copy should be. */
static void a_chunk_that_comes_again_is_no_copy(void)
{
    cleanup_chunk struct chunk_builder c = whole();
    cleanup_buf struct buf file = BUF_INIT(CHUNK_MAX);
    for (size_t cut = 1; cut < c.b.len - JFR_HEADER_SIZE; cut++) {
        if (cut == JFR_HEADER_SIZE)
            continue;
        buf_reset(&file);
        append(&file, &c);
        file.len -= cut;
        append(&file, &c);
        struct jfr_chunks it = jfr_chunks_of(file.p, file.len);
        check_chunk(&it, c.b.len);
        jfr_chunks_refused(&it);
        check_chunk(&it, c.b.len);
        check_end(&it);
    }
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
    RUN(chunks_of_version_1_are_found);
    RUN(a_refused_chunk_may_hide_others);
    RUN(copies_of_a_bad_chunks_header_are_no_chunks);
    RUN(a_chunk_that_comes_again_is_no_copy);
    RUN(refusing_everything_comes_to_an_end);
    return REPORT();
}
