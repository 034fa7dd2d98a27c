#include "base/unzip.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "test.h"

enum { MAX = 4096, DESCRIPTOR = 8 };

struct entry {
    const char *name, *content;
    unsigned flags, method;
};

static void put_number(struct buf *b, unsigned v, size_t n)
{
    for (; n > 0; n--, v >>= 8)
        buf_byte(b, (uint8_t)v);
}

/* A local header with four bytes of extra fields, and what is stored behind it. */
static void put_entry(struct buf *b, struct entry e)
{
    const unsigned size = e.flags & DESCRIPTOR ? 0 : (unsigned)strlen(e.content);
    buf_append(b, "PK\3\4\x14\0", 6);
    put_number(b, e.flags, 2);
    put_number(b, e.method, 2);
    put_number(b, 0, 8); /* time, date, CRC */
    put_number(b, size, 4);
    put_number(b, size, 4);
    put_number(b, (unsigned)strlen(e.name), 2);
    put_number(b, 4, 2);
    buf_puts(b, e.name);
    buf_puts(b, "xtra");
    buf_puts(b, e.content);
}

/* Code and output of an archive, read a byte at a time. */
static int unzip(const struct buf *archive, struct buf *out, struct err *err)
{
    struct unzip u = {0};
    int code = 0;
    for (size_t i = 0; code == 0 && i < archive->len; i++) {
        const uint8_t *in = archive->p + i;
        size_t in_len = 1;
        while (code == 0 && in_len > 0) {
            uint8_t room[1], *to = room;
            size_t left = 1;
            code = unzip_step(&u, &in, &in_len, &to, &left, err);
            buf_append(out, room, 1 - left);
        }
    }
    unzip_done(&u);
    return code < 0 ? code : u.done;
}

static void check(const struct entry *entries, size_t n, const char *end, int want_code, const char *want)
{
    cleanup_buf struct buf archive = BUF_INIT(MAX), got = BUF_INIT(MAX);
    struct err err = {0};
    for (size_t i = 0; i < n; i++)
        put_entry(&archive, entries[i]);
    buf_puts(&archive, end);
    CHECK_INT(unzip(&archive, &got, &err), want_code);
    CHECK_HAS(want_code < 0 ? err.text : buf_cstr(&got), want);
}

static void the_file_of_an_archive_comes_whatever_lies_around_it(void)
{
    check(&(struct entry){"a", "content", 0, 0}, 1, "PK\1\2 and so on", 1, "content");
    check((struct entry[]){{"d/", "", 0, 0}, {"d/e/", "", 0, 0}, {"d/e/a", "content", 0, 0}}, 3, "PK\1\2", 1,
          "content");
    check((struct entry[]){{"a", "content", 0, 0}, {"d/", "", 0, 0}}, 2, "PK\1\2", 1, "content");
    check(&(struct entry){"a", "content", 0, 0}, 1,
          "PK\7\x8"
          "0123456789abPK\1\2",
          1, "content");
    check(&(struct entry){"a", "", 0, 0}, 1, "PK\1\2", 1, "");
}

static void what_is_no_archive_of_one_file_is_named(void)
{
    check(&(struct entry){"a", "x", 1, 0}, 1, "", -EILSEQ, "encrypted");
    check(&(struct entry){"a", "x", 0, 14}, 1, "", -EILSEQ, "method 14");
    check(&(struct entry){"a", "x", DESCRIPTOR, 0}, 1, "", -EILSEQ, "without its size");
    check(&(struct entry){"d/", "", 0, 0}, 1, "PK\1\2", -EILSEQ, "without a file");
    check((struct entry[]){{"a", "x", 0, 0}, {"b", "y", 0, 0}}, 2, "", -EILSEQ, "several files");
    check(&(struct entry){"a", "x", 0, 0}, 1, "something else, and much of it", -EBADMSG, "nothing known follows");
    check(&(struct entry){"a", "\xff\xff not deflated", 0, 8}, 1, "", -EBADMSG, "damaged");
    check(&(struct entry){"a", "content", 0, 0}, 1, "PK", 0, "content"); /* the end is missing */
}

int main(void)
{
    RUN(the_file_of_an_archive_comes_whatever_lies_around_it);
    RUN(what_is_no_archive_of_one_file_is_named);
    return REPORT();
}
