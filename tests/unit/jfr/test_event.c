#include "jfr/event.h"

#include <errno.h>

#include "jfr/chunk_builder.h"
#include "test.h"

static struct jfr_events events_in(const struct chunk_builder *c)
{
    return jfr_events_of(c->b.p, &(struct jfr_header){.size = c->b.len, .metadata = JFR_HEADER_SIZE});
}

static void events_come_in_file_order(void)
{
    cleanup_chunk struct chunk_builder c = chunk_begin("11 long");
    chunk_event(&c, 300);
    chunk_varint(&c, 5);
    chunk_event_end(&c);
    buf_append(&c.b, "\2\7", 2); /* no payload, one byte of size */
    struct jfr_events it = events_in(&c);
    struct jfr_event e;
    struct err err = {0};
    CHECK_INT(jfr_events_next(&it, &e, &err), 1);
    CHECK_INT(e.type, JFR_EVENT_METADATA);
    CHECK_INT(jfr_events_next(&it, &e, &err), 1);
    CHECK_INT(e.type, 300);
    CHECK_INT(e.end - e.payload, 1);
    CHECK_INT(e.payload[0], 5);
    CHECK_INT(jfr_events_next(&it, &e, &err), 1);
    CHECK_INT(e.type, 7);
    CHECK(e.payload == e.end);
    CHECK_INT(jfr_events_next(&it, &e, &err), 0);
    CHECK_STR(err.text, "");
}

static void check_bad(const char *bytes, size_t n, const char *why)
{
    cleanup_chunk struct chunk_builder c = chunk_begin("11 long");
    buf_append(&c.b, "\2\7\2\7", 4); /* not right behind the metadata */
    buf_append(&c.b, bytes, n);
    struct jfr_events it = events_in(&c);
    struct jfr_event e;
    struct err err = {0};
    for (int i = 0; i < 3; i++)
        CHECK_INT(jfr_events_next(&it, &e, &err), 1);
    CHECK_INT(jfr_events_next(&it, &e, &err), -EBADMSG);
    CHECK_HAS(err.text, why);
}

static void what_cannot_be_an_event_is_refused(void)
{
    check_bad("\0\0\0\0", 4, "size 0 of 4"); /* a hole */
    check_bad("\1\5", 2, "size 1");          /* no room for the type */
    check_bad("\5\5\0\0", 4, "size 5 of 4"); /* past the end */
    check_bad("\x80\x80", 2, "size");        /* a size that is cut */
    check_bad("\2\x80\0\0", 4, "no type");   /* a type that leaves the event */
    check_bad("\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9, "size 18446744073709551615");
}

static void zeros_behind_the_metadata_are_stepped_over(void)
{
    cleanup_chunk struct chunk_builder c = chunk_begin("11 long");
    static const char zeros[5000];
    buf_append(&c.b, "\3\6\1", 3);
    buf_append(&c.b, zeros, sizeof zeros);
    buf_append(&c.b, "\3\7\1", 3);
    struct jfr_events it = events_in(&c);
    struct jfr_event e;
    struct err err = {0};
    CHECK_INT(jfr_events_next(&it, &e, &err), 1);
    CHECK_INT(jfr_events_next(&it, &e, &err), 1);
    CHECK_INT(jfr_events_next(&it, &e, &err), 1);
    CHECK_INT(e.type, 7);
    CHECK_INT(jfr_events_next(&it, &e, &err), 0);
    c.b.len -= 3; /* nothing but zeros */
    it = events_in(&c);
    CHECK_INT(jfr_events_next(&it, &e, &err), 1);
    CHECK_INT(jfr_events_next(&it, &e, &err), 1);
    CHECK_INT(jfr_events_next(&it, &e, &err), 0);
    CHECK_STR(err.text, "");
}

int main(void)
{
    RUN(zeros_behind_the_metadata_are_stepped_over);
    RUN(events_come_in_file_order);
    RUN(what_cannot_be_an_event_is_refused);
    return REPORT();
}
