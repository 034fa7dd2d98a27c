/* The component in a running graph, on a real directory. */
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/metric.h"
#include "components/forward_fixture.h"

extern const struct component_def pyroscope_file;

static char dir[64];

static void directory_begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/smolder-test-XXXXXX");
    if (!mkdtemp(dir))
        abort();
}

static void directory_end(void)
{
    char path[400];
    cleanup_closedir DIR *d = opendir(dir);
    for (const struct dirent *e; d && (e = readdir(d)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (e->d_name[0] != '.')
            unlink(path);
    }
    CHECK_INT(rmdir(dir), 0);
}

static unsigned count_files(const char *ending)
{
    unsigned n = 0;
    cleanup_closedir DIR *d = opendir(dir);
    for (const struct dirent *e; d && (e = readdir(d)) != NULL;)
        n += str_has_suffix(str_of(e->d_name), str_of(ending));
    return n;
}

static void load(struct controller *c, const char *more)
{
    char text[1024];
    snprintf(text, sizeof text,
             "pyroscope.file \"f\" {\n directory = \"%s\"\n%s\n}\n"
             "test.source \"s\" {\n forward_to = [pyroscope.file.f.receiver]\n}\n",
             dir, more);
    LOAD(c, text, "");
}

static void chunks_and_profiles_become_files(void)
{
    directory_begin();
    struct controller *c = forward_begin(&pyroscope_file);
    load(c, "");
    send_profile(LABELS("service_name", "shop", "__name__", "process_cpu"), "profile");
    send_recording(LABELS("service_name", "shop", "__name__", "jfr", "__process_pid__", "7"), "chunk");
    WAIT_FOR(count_files(".process_cpu.pb.gz") == 1 && count_files(".jfr.part") == 1);
    send_recording(LABELS("service_name", "shop", "__name__", "jfr", "__process_pid__", "7"), "chunk");
    WAIT_FOR(strcmp(debug_member(c, "pyroscope.file.f", "files"), "2") == 0);
    CHECK_STR(debug_member(c, "pyroscope.file.f", "last_error"), "\"\"");
    forward_end(c); /* completes what is being written */
    CHECK_INT(count_files(".jfr"), 1);
    CHECK_INT(count_files(".part"), 0);
    directory_end();
}

static void only_the_formats_asked_for_are_kept(void)
{
    directory_begin();
    struct controller *c = forward_begin(&pyroscope_file);
    load(c, "formats = [\"jfr\"]");
    send_profile(LABELS("service_name", "shop", "__name__", "process_cpu"), "profile");
    send_recording(LABELS("service_name", "shop", "__name__", "jfr"), "chunk");
    WAIT_FOR(count_files(".jfr.part") == 1);
    load(c, "formats = [\"pprof\"]");
    send_recording(LABELS("service_name", "shop", "__name__", "jfr", "__process_pid__", "8"), "chunk");
    send_profile(LABELS("service_name", "shop", "__name__", "process_cpu"), "profile");
    WAIT_FOR(count_files(".pb.gz") == 1);
    CHECK_INT(count_files(".jfr.part"), 1);
    forward_end(c);
    directory_end();
}

static void a_directory_that_cannot_be_used_is_reported_and_tried_again(void)
{
    directory_begin();
    CHECK_INT(rmdir(dir), 0);
    FILE *f = fopen(dir, "w"); /* a file is in its place */
    fclose(f);
    struct controller *c = forward_begin(&pyroscope_file);
    load(c, "");
    struct component_view view;
    WAIT_FOR(controller_view(c, "pyroscope.file.f", &view) && view.health == HEALTH_UNHEALTHY);
    CHECK_HAS(view.message, dir);
    struct profile_origin *origin = profile_origin_new();
    send_profile_of(origin, LABELS("service_name", "shop"), "lost");
    WAIT_FOR(strcmp(debug_member(c, "pyroscope.file.f", "dropped"), "1") == 0);
    CHECK(origin->delivered == 0 && origin->dropped == 1);
    CHECK_INT(unlink(dir), 0);
    send_profile_of(origin, LABELS("service_name", "shop"), "kept");
    WAIT_FOR(controller_view(c, "pyroscope.file.f", &view) && view.health == HEALTH_HEALTHY);
    CHECK_INT(count_files(".pb.gz"), 1);
    CHECK(origin->delivered == 1 && origin->dropped == 1);
    profile_origin_unref(origin);
    forward_end(c);
    directory_end();
}

static void the_queue_is_bounded(void)
{
    enum { LARGE = 3 << 20 };
    directory_begin();
    struct controller *c = forward_begin(&pyroscope_file);
    load(c, "");
    cleanup_free char *large = xmalloc(LARGE + 1);
    memset(large, 'x', LARGE);
    large[LARGE] = '\0';
    /* The first goes to the worker at once; the loop does not run meanwhile. */
    for (int i = 0; i < 8; i++)
        send_recording(LABELS("service_name", "shop", "__name__", "jfr"), large);
    CHECK(strcmp(debug_member(c, "pyroscope.file.f", "dropped"), "0") != 0);
    CHECK(strtol(debug_member(c, "pyroscope.file.f", "queued_bytes"), NULL, 10) <= 8 << 20);
    forward_end(c);
    CHECK(count_files(".jfr") > 0);
    directory_end();
}

static void a_changed_directory_is_used_from_then_on(void)
{
    char other[80], text[400];
    directory_begin();
    struct controller *c = forward_begin(&pyroscope_file);
    load(c, "");
    send_recording(LABELS("service_name", "shop", "__name__", "jfr"), "chunk");
    WAIT_FOR(count_files(".jfr.part") == 1);
    snprintf(other, sizeof other, "%s/other", dir);
    snprintf(text, sizeof text,
             "pyroscope.file \"f\" {\n directory = \"%s\"\n}\n"
             "test.source \"s\" {\n forward_to = [pyroscope.file.f.receiver]\n}\n",
             other);
    LOAD(c, text, "");
    WAIT_FOR(count_files(".jfr") == 1 && access(other, F_OK) == 0);
    forward_end(c);
    CHECK_INT(rmdir(other), 0);
    directory_end();
}

int main(void)
{
    RUN(chunks_and_profiles_become_files);
    RUN(only_the_formats_asked_for_are_kept);
    RUN(a_directory_that_cannot_be_used_is_reported_and_tried_again);
    RUN(the_queue_is_bounded);
    RUN(a_changed_directory_is_used_from_then_on);
    return REPORT();
}
