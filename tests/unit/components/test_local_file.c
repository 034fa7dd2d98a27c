/* local.file in a running graph, on a file that changes, breaks and goes. */
#include <sys/stat.h>

#include "content_fixture.h"

extern const struct component_def local_file;

static char path[64];

static void put(const char *text)
{
    char half[80];
    snprintf(half, sizeof half, "%s.half", path);
    FILE *f = fopen(half, "w");
    if (!f || fputs(text, f) < 0)
        abort();
    fclose(f);
    CHECK_INT(rename(half, path), 0);
}

static void begin(struct discovery_test *t, const char *text)
{
    snprintf(path, sizeof path, "/tmp/smolder-local-file-%d", (int)getpid());
    put(text);
    discovery_begin(t, &local_file);
}

static void end(struct discovery_test *t)
{
    discovery_end(t);
    unlink(path);
}

static char *config(const char *more)
{
    return xasprintf("local.file \"f\" {\n  filename = \"%s\"\n%s}\n", path, more);
}

static void the_content_follows_the_file(void)
{
    struct discovery_test t;
    begin(&t, "one\n");
    cleanup_free char *text = config("");
    LOAD(&t, text, "");
    CHECK_INT(content_wait(&t, "one\n", "read file").secrecy, VALUE_OPTIONAL_OPEN);
    put("two");
    content_wait(&t, "two", "read file");
    CHECK(discovery_metric("local_file_timestamp_last_accessed_unix_seconds{component_id=\"local.file.f\","
                           "component_path=\"/\"}") > 1e9);
    end(&t);
}

static void a_file_that_cannot_be_read_keeps_its_content(void)
{
    struct discovery_test t;
    begin(&t, "one");
    cleanup_free char *text = config("  detector = \"poll\"\n  poll_frequency = \"50ms\"\n");
    LOAD(&t, text, "");
    content_wait(&t, "one", "read file");
    CHECK_INT(unlink(path), 0);
    content_wait(&t, "one", "failed to read file: open /tmp/smolder-local-file-");
    put("two");
    content_wait(&t, "two", "read file");
    end(&t);
}

static void a_secret_stays_one(void)
{
    struct discovery_test t;
    begin(&t, "hush");
    cleanup_free char *text = config("  is_secret = true\n"), *plain = config("");
    LOAD(&t, text, "");
    CHECK_INT(content_wait(&t, "hush", "").secrecy, VALUE_OPTIONAL_SECRET);
    LOAD(&t, plain, "");
    CHECK_INT(content_wait(&t, "hush", "").secrecy, VALUE_OPTIONAL_OPEN);
    end(&t);
}

static void what_is_wrong_is_refused(void)
{
    struct discovery_test t;
    discovery_begin(&t, &local_file);
    LOAD(&t, "local.file \"f\" {\n  filename = \"/no/such\"\n}\n", "failed to read file: open /no/such: No such file");
    LOAD(&t, "local.file \"f\" { }\n", "missing required attribute \"filename\"");
    LOAD(&t, "local.file \"f\" {\n  filename = \"/x\"\n  poll_frequency = \"0s\"\n}\n",
         "poll_frequency must be greater than 0");
    LOAD(&t, "local.file \"f\" {\n  filename = \"/x\"\n  detector = \"x\"\n}\n",
         "unrecognized detector \"x\", expected fsnotify or poll");
    discovery_end(&t);
}

int main(void)
{
    RUN(the_content_follows_the_file);
    RUN(a_file_that_cannot_be_read_keeps_its_content);
    RUN(a_secret_stays_one);
    RUN(what_is_wrong_is_refused);
    return REPORT();
}
