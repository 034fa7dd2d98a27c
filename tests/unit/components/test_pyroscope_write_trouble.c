#include "components/pyroscope_write_trouble.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "test.h"

static char text[8192];

static void read_log(int fd)
{
    const ssize_t n = pread(fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
}

static size_t lines(void)
{
    size_t n = 0;
    for (const char *p = text; (p = strchr(p, '\n')); p++)
        n++;
    return n;
}

static void failures_are_told_once_and_rejections_once_a_minute(void)
{
    char path[] = "/tmp/test-trouble-XXXXXX";
    const int fd = mkstemp(path);
    unlink(path);
    struct write_trouble t = {.component_id = "pyroscope.write.w"};
    int64_t now = NS_PER_SEC;
    log_to(fd);
    write_trouble_set_error(&t, "HTTP status 503");
    for (int i = 0; i < 3; i++)
        write_trouble_begin(&t, "http://a", 1, now);
    write_trouble_end(&t, "http://a", 4, now + 5 * NS_PER_SEC);
    write_trouble_end(&t, "http://a", 4, now + 5 * NS_PER_SEC);
    read_log(fd);
    CHECK_INT(lines(), 2);
    CHECK_HAS(text, "level=warn msg=\"pushes fail\"");
    CHECK_HAS(text, "after_seconds=5 lost_profiles=3");
    write_trouble_begin(&t, "http://a", 4, now + 30 * NS_PER_SEC);
    CHECK(!t.standing);

    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    labels_set(&b, STR("service_name"), STR("shop"));
    labels_set(&b, STR("__name__"), STR("memory"));
    struct labels *ls = labels_build(&b, false);
    for (int i = 0; i < 3; i++)
        write_trouble_rejected(&t, "http://a", ls, now);
    /* A rejection is no failure of the endpoint, so nothing works again after it. */
    write_trouble_end(&t, "http://a", 5, now);
    read_log(fd);
    CHECK_INT(lines(), 3);
    CHECK_HAS(text, "msg=\"the server rejects profiles\"");
    CHECK_HAS(text, "service=shop profile=memory");
    write_trouble_rejected(&t, "http://a", ls, now + 61 * NS_PER_SEC);
    read_log(fd);
    CHECK_INT(lines(), 4);
    log_to(2);
    labels_unref(ls);
    close(fd);
}

int main(void)
{
    RUN(failures_are_told_once_and_rejections_once_a_minute);
    return REPORT();
}
