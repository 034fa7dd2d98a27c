#include "cli/convert_range.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "jfr/chunk_builder.h"
#include "test.h"

enum { MAX = 64 << 20, FIRST = 1000, SECOND = 7000, LENGTH = 500 };

static char path[] = "/tmp/test_convert_range.XXXXXX";

static void put_chunk(struct buf *out, int64_t start_ns)
{
    struct chunk_builder c = chunk_begin("11 long");
    c.start_ns = start_ns;
    c.duration_ns = LENGTH;
    chunk_checkpoint(&c, 0, 0);
    chunk_event_end(&c);
    chunk_end(&c);
    buf_str(out, buf_slice(&c.b));
    chunk_done(&c);
}

/* Two chunks, the later one first. */
static void write_recording(void)
{
    cleanup_buf struct buf bytes = BUF_INIT(1 << 16);
    cleanup_fclose FILE *f = fopen(path, "w");
    put_chunk(&bytes, SECOND);
    put_chunk(&bytes, FIRST);
    if (!f || fwrite(bytes.p, 1, bytes.len, f) != bytes.len)
        abort();
}

static struct conversion_options resolved;
static struct err err;

static int resolve(const char *file, const char *from, const char *to)
{
    cleanup_free char *copy = strdup(file);
    const struct file_list files = {.items = &copy, .len = 1};
    resolved = (struct conversion_options){0};
    err = (struct err){0};
    return range_resolve(&files, MAX, from, to, &resolved, &err);
}

static void durations_are_relative_and_times_are_not(void)
{
    static const char *const relative[] = {"10s", "-5s", "+1m", "0s", "1.5ms", "-0s"};
    static const char *const absolute[] = {"", "0", "1700000000", "1.5", "2026-01-31T12:00:00Z", "x", "-"};
    for (size_t i = 0; i < sizeof relative / sizeof *relative; i++)
        CHECK(range_is_relative(relative[i]));
    for (size_t i = 0; i < sizeof absolute / sizeof *absolute; i++)
        CHECK(!range_is_relative(absolute[i]));
}

static int read_times(const char *from, const char *to)
{
    resolved = (struct conversion_options){0};
    err = (struct err){0};
    return range_read(from, to, &resolved, &err);
}

static void points_in_time_are_read_at_once(void)
{
    CHECK_INT(read_times("1700000000", "2023-11-14T22:13:21Z"), 0);
    CHECK_INT(resolved.from_ns, 1700000000 * (int64_t)1000000000);
    CHECK_INT(resolved.until_ns, 1700000001 * (int64_t)1000000000);
    CHECK_INT(read_times("10s", "-5s"), 0); /* range_resolve() */
    CHECK_INT(resolved.from_ns, 0);
    CHECK_INT(resolved.until_ns, 0);
    CHECK_INT(read_times("10", ""), -EINVAL);
    CHECK_HAS(err.text, "--from=10 is in 1970");
    CHECK_INT(read_times("", "noon"), -EINVAL);
    CHECK_HAS(err.text, "--to=noon: expected a time");
    CHECK_INT(read_times("1700000000", "1700000000"), -EINVAL);
    CHECK_STR(err.text, "--to=1700000000 is not after --from=1700000000");
}

static void no_samples_are_said_with_the_range(void)
{
    CHECK_INT(range_no_samples("a.jfr", 3, "10s", "", &err), -ESRCH);
    CHECK_STR(err.text, "a.jfr: no samples in 3 chunks from 10s");
    CHECK_INT(range_no_samples("a.jfr", 0, "", "", &err), -ESRCH);
    CHECK_STR(err.text, "a.jfr: no samples in 0 chunks");
}

static void a_time_counts_from_the_beginning_or_the_end(void)
{
    CHECK_INT(resolve(path, "10ns", "-20ns"), 0);
    CHECK_INT(resolved.from_ns, FIRST + 10);
    CHECK_INT(resolved.until_ns, SECOND + LENGTH - 20);
    CHECK_INT(resolve(path, "-100ns", ""), 0);
    CHECK_INT(resolved.from_ns, SECOND + LENGTH - 100);
    CHECK_INT(resolved.until_ns, 0);
    CHECK_INT(resolve(path, "-1h", "1h"), 0);
    CHECK_INT(resolved.from_ns, 1);
    CHECK_INT(resolve(path, "1700000000", ""), 0); /* somebody else's */
    CHECK_INT(resolved.from_ns, 0);
}

static void what_has_no_beginning_is_said(void)
{
    CHECK_INT(resolve("-", "1s", ""), -EINVAL);
    CHECK_HAS(err.text, "--from is relative, and standard input can be read only once");
    CHECK_INT(resolve("/dev/null", "", "1s"), -EINVAL);
    CHECK_STR(err.text, "--to is relative, and no input is a recording");
    CHECK_INT(resolve("/nowhere/at/all", "1s", ""), -ENOENT);
    CHECK_INT(resolve(path, "200ns", "100ns"), -EINVAL);
    CHECK_STR(err.text, "--to=100ns is not after --from=200ns");
}

int main(void)
{
    cleanup_close int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    write_recording();
    RUN(durations_are_relative_and_times_are_not);
    RUN(points_in_time_are_read_at_once);
    RUN(no_samples_are_said_with_the_range);
    RUN(a_time_counts_from_the_beginning_or_the_end);
    RUN(what_has_no_beginning_is_said);
    unlink(path);
    return REPORT();
}
