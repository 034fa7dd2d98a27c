#include "cli/convert_recordings.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gzip.h"
#include "cli/convert_row.h"
#include "pprof/from_jfr.h"
#include "pprof/recording.h"
#include "test.h"

enum { MAX = 64 << 20, INPUTS = 3, CHUNKS = 8, EVENTS = 12000 };

static char paths[INPUTS][40] = {"/tmp/test_convert_rec0.XXXXXX", "/tmp/test_convert_rec1.XXXXXX",
                                 "/tmp/test_convert_rec2.XXXXXX"};

static void write_file(const char *path, struct str bytes)
{
    cleanup_fclose FILE *f = fopen(path, "w");
    if (!f || fwrite(bytes.p, 1, bytes.n, f) != bytes.n)
        abort();
}

static unsigned random_next(unsigned *seed)
{
    *seed = *seed * 1103515245 + 12345;
    return *seed >> 8;
}

/* Large enough for threads to be started. Settings come with the first chunk, and once in between. */
static void put_recording(struct buf *out, unsigned seed, unsigned chunks)
{
    for (unsigned i = 0; i < chunks; i++) {
        struct chunk_builder c = recording_begin();
        c.start_ns = 1000000000 + (int64_t)i * 1000;
        c.duration_ns = 1000;
        if (i % 5 == 0) {
            recording_setting(&c, "event", random_next(&seed) % 2 ? "wall" : "cpu");
            recording_setting(&c, "interval", i ? "7000000" : "5000000");
        }
        for (unsigned k = 0; k < EVENTS; k++) {
            const unsigned r = random_next(&seed);
            if (r % 3)
                recording_execution(&c, 1 + r / 3 % 4, r % 2 ? THREAD_MAIN : THREAD_GC, r / 12 % 3);
            else
                recording_lock(&c, 1 + r / 3 % 4, r % 2 ? THREAD_MAIN : THREAD_GC, r % 999);
        }
        recording_end(&c);
        buf_str(out, buf_slice(&c.b));
        chunk_done(&c);
    }
}

static void on_chunk(void *out)
{
    buf_puts(out, "chunk\n");
}

static void on_damage(void *out, const char *why)
{
    buf_printf(out, "damage %s\n", why);
}

static int on_end(void *out, size_t input, bool broke_off, const struct err *why)
{
    buf_printf(out, "end %zu %d %d %s\n", input, broke_off, why->code, why->code ? why->text : "");
    return why->code == -EIO ? -EIO : 0;
}

static void on_read(void *out, const struct chunks *c)
{
    (void)out;
    (void)c;
}

/* What is told of the inputs, and what they come to. */
static void put_conversion(unsigned jobs, size_t inputs, struct buf *out)
{
    const struct conversion_options o = {.cpu_ns = 10, .limits = &conversion_limits_files, .per_thread = true};
    const struct recordings_listener l = {out, on_chunk, on_damage, on_end, on_read, on_read};
    struct conversion *c = conversion_new(&o);
    struct recordings *r = recordings_new(c, jobs, &l);
    struct err err = {0};
    for (size_t i = 0; i < inputs; i++) {
        struct chunks *in;
        bool is;
        CHECK_INT(chunks_open(paths[i], MAX, &in, &err), 0);
        if (chunks_is_recording(in, &is, &err) == 0) {
            CHECK_INT(recordings_read(r, i, in), 0);
            continue;
        }
        CHECK_INT(recordings_give_up(r, i, &err), 0);
        chunks_close(in);
    }
    CHECK_INT(recordings_finish(r), 0);
    recordings_free(r);
    struct pprof_result *results;
    size_t n;
    CHECK_INT(conversion_finish(c, &results, &n, &err), 0);
    for (size_t i = 0; i < n; i++)
        buf_append(out, results[i].bytes, results[i].len);
    conversion_free(c);
}

static void check_same(size_t inputs)
{
    cleanup_buf struct buf want = BUF_INIT(MAX);
    put_conversion(1, inputs, &want);
    for (unsigned jobs = 2; jobs <= 5; jobs++) {
        cleanup_buf struct buf got = BUF_INIT(MAX);
        put_conversion(jobs, inputs, &got);
        CHECK(str_eq(buf_slice(&want), buf_slice(&got)));
    }
}

/* Whether damage made a difference at all: otherwise nothing was tested. */
static bool told_of_damage(size_t inputs)
{
    cleanup_buf struct buf told = BUF_INIT(MAX);
    put_conversion(3, inputs, &told);
    return strstr(buf_cstr(&told), "damage ") != NULL;
}

static void any_number_of_jobs_comes_to_the_same(void)
{
    for (unsigned i = 0; i < INPUTS; i++) {
        cleanup_buf struct buf b = BUF_INIT(MAX);
        put_recording(&b, i, CHUNKS);
        write_file(paths[i], buf_slice(&b));
    }
    cleanup_buf struct buf told = BUF_INIT(MAX);
    put_conversion(4, INPUTS, &told);
    CHECK(str_has_prefix(buf_slice(&told), STR("chunk\nchunk\n")));
    check_same(1);
    check_same(INPUTS);
}

/* Bytes anywhere are others, sizes in headers among them, and chunks lie within chunks. */
static void damage(struct buf *b, unsigned *seed)
{
    uint8_t *const p = b->p;
    for (unsigned i = 0; i < 1 + *seed % 4; i++)
        p[random_next(seed) % b->len] = (uint8_t)random_next(seed);
    size_t at = 0;
    for (struct jfr_header h; at < b->len && jfr_header_read(p + at, b->len - at, &h, NULL) == 0; at += h.size) {
        const unsigned r = random_next(seed) % 8;
        if (r == 0)
            p[at + 13] ^= (uint8_t)(1 << random_next(seed) % 3); /* the size, in the thousands */
        else if (r == 1)
            p[at + h.checkpoint] ^= 0x40;
        else if (r == 2 && h.size > 5000)
            memcpy(p + at + 4000, p + at, JFR_HEADER_SIZE); /* a header inside */
        if (r <= 2)
            break;
    }
}

static void damaged_inputs_come_to_the_same(void)
{
    enum { TRIES = 12 };
    unsigned seed = 1, damaged = 0;
    for (unsigned i = 0; i < TRIES; i++) {
        for (unsigned k = 0; k < INPUTS; k++) {
            cleanup_buf struct buf b = BUF_INIT(MAX), packed = BUF_INIT(MAX);
            put_recording(&b, i, CHUNKS / 2);
            damage(&b, &seed);
            CHECK_INT(gzip_deflate(buf_slice(&b), 1, &packed), 0);
            struct str bytes = k == 1 ? buf_slice(&packed) : buf_slice(&b);
            if (i % 4 == 3)
                bytes.n -= bytes.n / 3; /* cut */
            write_file(paths[k], bytes);
        }
        check_same(INPUTS);
        damaged += told_of_damage(INPUTS);
    }
    CHECK(damaged >= TRIES / 2);
}

static void an_input_that_cannot_be_read_is_told_of_in_its_turn(void)
{
    cleanup_buf struct buf b = BUF_INIT(MAX);
    put_recording(&b, 1, CHUNKS);
    write_file(paths[0], buf_slice(&b));
    write_file(paths[1], STR(""));
    write_file(paths[2], buf_slice(&b));
    cleanup_buf struct buf told = BUF_INIT(MAX);
    put_conversion(3, INPUTS, &told);
    CHECK_HAS(buf_cstr(&told), "chunk\nend 0 1 0 \nend 1 0 ");
    check_same(INPUTS);
}

static int refuse(void *out, size_t input, bool broke_off, const struct err *why)
{
    (void)out, (void)broke_off, (void)why;
    return input == 1 ? -EIO : 0;
}

/* With chunks of the inputs behind it under way. */
static void an_end_that_ends_all_leaves_nothing_behind(void)
{
    cleanup_buf struct buf b = BUF_INIT(MAX);
    put_recording(&b, 1, 2);
    for (unsigned i = 0; i < INPUTS; i++)
        write_file(paths[i], buf_slice(&b));
    for (unsigned jobs = 1; jobs < 5; jobs++) {
        cleanup_buf struct buf told = BUF_INIT(MAX);
        const struct recordings_listener l = {&told, on_chunk, on_damage, refuse, on_read, on_read};
        struct conversion *c = conversion_new(&(struct conversion_options){.cpu_ns = 10});
        struct recordings *r = recordings_new(c, jobs, &l);
        struct err err;
        int code = 0;
        for (size_t i = 0; code == 0 && i < INPUTS; i++) {
            struct chunks *in;
            CHECK_INT(chunks_open(paths[i], MAX, &in, &err), 0);
            code = recordings_read(r, i, in);
        }
        CHECK_INT(code == 0 ? recordings_finish(r) : code, -EIO);
        recordings_free(r);
        conversion_free(c);
    }
}

int main(void)
{
    for (unsigned i = 0; i < INPUTS; i++)
        close(mkstemp(paths[i]));
    RUN(any_number_of_jobs_comes_to_the_same);
    RUN(damaged_inputs_come_to_the_same);
    RUN(an_input_that_cannot_be_read_is_told_of_in_its_turn);
    RUN(an_end_that_ends_all_leaves_nothing_behind);
    for (unsigned i = 0; i < INPUTS; i++)
        unlink(paths[i]);
    return REPORT();
}
