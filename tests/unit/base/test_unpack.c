#include "base/unpack.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "test.h"

enum { LINES = 60, MAX = 1 << 20 };

/* Packed by the formats' own programs, all of the same text: fuzz/corpus/unpack. */
static struct str sample(const char *name)
{
    static char bytes[4096];
    cleanup_free char *path = NULL;
    if (asprintf(&path, SOURCE_ROOT "/fuzz/corpus/unpack/%s", name) < 0)
        abort();
    cleanup_fclose FILE *f = fopen(path, "r");
    if (!f)
        abort();
    return (struct str){bytes, fread(bytes, 1, sizeof bytes, f)};
}

static void put_text(struct buf *out)
{
    for (int i = 0; i < LINES; i++)
        buf_printf(out, "line %d of a text\n", i);
}

/* In pieces of `in_step`, into room of `out_step` at a time; what it came to: 1 or a code. */
static int unpack(struct str packed, size_t in_step, size_t out_step, struct buf *out, struct err *err)
{
    struct unpacker *u;
    int code = unpacker_new(unpack_recognise(packed), &u, err);
    size_t at = 0, len = 0;
    while (code == 0) {
        if (len == 0)
            len = packed.n - at < in_step ? packed.n - at : in_step;
        uint8_t *room = buf_reserve(out, out_step);
        if (!room)
            abort();
        struct unpack_io io = {(const uint8_t *)packed.p + at, len, room, out_step};
        code = unpacker_step(u, &io, at + len == packed.n, err);
        at += len - io.in_len;
        len = io.in_len;
        out->len += out_step - io.out_len;
    }
    unpacker_free(u);
    return code;
}

static const char *const names[] = {"zstd", "lz4", "xz", "zip_deflated", "zip_in_directory", "zip_piped", "zip_stored"};

static void every_format_is_unpacked_in_any_steps(void)
{
    static const size_t steps[][2] = {{1, 1}, {1, 4096}, {4096, 1}, {7, 13}, {4096, 4096}};
    cleanup_buf struct buf text = BUF_INIT(MAX);
    put_text(&text);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
            cleanup_buf struct buf got = BUF_INIT(MAX);
            struct err err = {0};
            CHECK_INT(unpack(sample(names[i]), steps[k][0], steps[k][1], &got, &err), 1);
            CHECK_STR(err.text, "");
            CHECK_STR(buf_cstr(&got), buf_cstr(&text));
        }
    }
}

static void what_is_cut_is_truncated(void)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct str whole = sample(names[i]);
        /* The central directory of an archive is not read. */
        const size_t end = names[i][0] == 'z' && names[i][1] == 'i' ? whole.n / 2 : whole.n - 1;
        for (size_t n = UNPACK_BEGIN; n <= end; n += 5) {
            cleanup_buf struct buf got = BUF_INIT(MAX);
            struct err err = {0};
            CHECK_INT(unpack((struct str){whole.p, n}, 4096, 4096, &got, &err), -EBADMSG);
            CHECK_HAS(err.text, ": truncated");
        }
    }
}

static void what_is_damaged_says_so(void)
{
    for (size_t i = 0; i < ARRAY_LEN(names) - 1; i++) {
        struct str s = sample(names[i]);
        cleanup_buf struct buf got = BUF_INIT(MAX);
        struct err err = {0};
        for (size_t k = s.n / 4; k < s.n; k++)
            ((char *)s.p)[k] ^= 0x55;
        CHECK_INT(unpack(s, 4096, 4096, &got, &err), -EBADMSG);
    }
}

static void streams_behind_each_other_are_one(void)
{
    cleanup_buf struct buf twice = BUF_INIT(MAX);
    put_text(&twice);
    put_text(&twice);
    for (size_t i = 0; i < 3; i++) {
        cleanup_buf struct buf packed = BUF_INIT(MAX), got = BUF_INIT(MAX);
        struct err err = {0};
        buf_str(&packed, sample(names[i]));
        buf_str(&packed, sample(names[i]));
        CHECK_INT(unpack(buf_slice(&packed), 11, 64, &got, &err), 1);
        CHECK_STR(buf_cstr(&got), buf_cstr(&twice));
    }
}

static void an_archive_has_one_file(void)
{
    cleanup_buf struct buf got = BUF_INIT(MAX);
    struct err err = {0};
    CHECK_INT(unpack(sample("zip_of_two"), 4096, 4096, &got, &err), -EILSEQ);
    CHECK_HAS(err.text, "several files");
}

static void formats_are_known_by_their_beginning(void)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct str s = sample(names[i]);
        CHECK(unpack_recognise((struct str){s.p, UNPACK_BEGIN}) != NULL);
        CHECK(unpack_recognise((struct str){s.p, 3}) == NULL);
    }
    CHECK(unpack_recognise(STR("\x1f\x8b\x08\0\0\0")) == NULL);
    CHECK(unpack_recognise(STR("FLR\0\0\2")) == NULL);
    CHECK(unpack_recognise(STR("")) == NULL);
}

/* A library that is not there is missing in a lab of its own: tests/daemon. */
static void a_library_is_loaded_when_its_format_comes(void)
{
    static const char *const sonames[] = {"libzstd.so.1", "liblz4.so.1"};
    for (size_t i = 0; i < ARRAY_LEN(sonames); i++) {
        void *so = dlopen(sonames[i], RTLD_NOLOAD | RTLD_NOW);
        CHECK(so == NULL);
    }
}

int main(void)
{
    RUN(a_library_is_loaded_when_its_format_comes);
    RUN(every_format_is_unpacked_in_any_steps);
    RUN(what_is_cut_is_truncated);
    RUN(what_is_damaged_says_so);
    RUN(streams_behind_each_other_are_one);
    RUN(an_archive_has_one_file);
    RUN(formats_are_known_by_their_beginning);
    return REPORT();
}
