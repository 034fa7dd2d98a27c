#include "components/pyroscope_write_spool_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "test.h"

static char root[] = "/tmp/test-spool-XXXXXX", path[64];
static const struct spool_limits roomy = {64 << 20, 3600 * NS_PER_SEC};
static struct spool_now now = {1000 * NS_PER_SEC, 500 * NS_PER_SEC};

static struct spool_files *opened(bool create)
{
    struct spool_files *f = NULL;
    struct err err = {0};
    CHECK_INT(spool_files_open(path, create, &f, &err), 0);
    CHECK_STR(err.text, "");
    return f;
}

static struct spool_place append_sized(struct spool_files *f, const struct spool_limits *limits, const char *text,
                                       size_t size)
{
    cleanup_free char *bytes = xcalloc(1, size + strlen(text) + 1);
    memcpy(bytes, text, strlen(text));
    struct spool_entry e = {.samples = 3,
                            .time_nanos = 7,
                            .duration_nanos = 8,
                            .labels = STR("labels"),
                            .profile = {bytes, size ? size : strlen(text)}};
    struct spool_place place = {0};
    struct err err = {0};
    snprintf(e.id, sizeof e.id, "id of %.20s", text);
    CHECK_INT(spool_files_append(f, limits, &e, now, &place, &err), 0);
    CHECK_STR(err.text, "");
    return place;
}

static struct spool_place append(struct spool_files *f, const char *text)
{
    return append_sized(f, &roomy, text, 0);
}

/* The profile of the next record, "" = none. */
static const char *take(struct spool_files *f, struct spool_place *place)
{
    static char text[32];
    cleanup_buf struct buf room = BUF_INIT(16 << 20);
    struct spool_entry e;
    text[0] = '\0';
    if (spool_files_take(f, &roomy, now, &room, &e) < 0)
        return text;
    CHECK(str_is(e.labels, "labels"));
    CHECK_INT(e.samples, 3);
    CHECK_INT(e.time_nanos, 7);
    snprintf(text, sizeof text, "%.*s", (int)(e.profile.n < 20 ? e.profile.n : 20), e.profile.p);
    CHECK(strncmp(e.id, "id of ", 6) == 0 && strncmp(e.id + 6, text, 5) == 0);
    if (place)
        *place = e.place;
    return text;
}

static size_t files_there(void)
{
    size_t n = 0;
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));)
        n += e->d_name[0] != '.' && strcmp(e->d_name, "lock") != 0;
    if (d)
        closedir(d);
    return n;
}

static void without_a_directory_there_is_nothing(void)
{
    struct spool_files *f = NULL;
    struct err err = {0};
    CHECK_INT(spool_files_open(path, false, &f, &err), -ENOENT);
    CHECK(access(path, F_OK) < 0);
}

static void records_are_read_in_order_by_the_next_agent(void)
{
    struct spool_files *f = opened(true);
    struct spool_place first = append(f, "first");
    append(f, "second");
    append(f, "third");
    CHECK_STR(take(f, NULL), ""); /* whoever appends still has them */
    spool_files_finish(f, first);
    spool_files_close(f);

    f = opened(false);
    CHECK_INT(spool_files_counts(f).waiting, 2);
    struct spool_place second, third;
    CHECK_STR(take(f, &second), "second");
    spool_files_give_back(f, second);
    CHECK_STR(take(f, &second), "second");
    CHECK_STR(take(f, &third), "third");
    CHECK_STR(take(f, NULL), "");
    spool_files_finish(f, third);
    CHECK_INT(files_there(), 1);
    spool_files_finish(f, second);
    CHECK_INT(files_there(), 0);
    CHECK_INT(spool_files_counts(f).bytes, 0);
    spool_files_close(f);
    CHECK(access(path, F_OK) < 0);
}

static void records_survive_a_kill(void)
{
    int ready[2];
    CHECK_INT(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
        struct spool_files *f = opened(true);
        append(f, "one");
        spool_files_finish(f, append(f, "delivered"));
        append(f, "two");
        (void)!write(ready[1], "x", 1);
        pause();
    }
    char c;
    CHECK_INT(read(ready[0], &c, 1), 1);
    struct spool_files *f = NULL;
    CHECK_INT(spool_files_open(path, true, &f, NULL), -EBUSY);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ready[0]);
    close(ready[1]);
    f = opened(false);
    struct spool_place one, two;
    CHECK_STR(take(f, &one), "one");
    CHECK_STR(take(f, &two), "two");
    CHECK_STR(take(f, NULL), "");
    /* Numbers of segments are not used again, so places of the past hit nothing. */
    spool_files_finish(f, one);
    spool_files_finish(f, two);
    const struct spool_place next = append(f, "next");
    CHECK(next.segment > one.segment);
    spool_files_finish(f, one);
    CHECK_INT(files_there(), 1);
    spool_files_finish(f, next);
    spool_files_close(f);
}

static char *segment_path(void)
{
    DIR *d = opendir(path);
    char *found = NULL;
    for (struct dirent *e; d && (e = readdir(d));)
        if (strlen(e->d_name) == 16)
            found = xasprintf("%s/%s", path, e->d_name);
    closedir(d);
    return found;
}

static void torn_and_damaged_records_are_passed_over(void)
{
    struct spool_files *f = opened(true);
    append(f, "whole");
    append(f, "damaged");
    append(f, "torn by a kill");
    spool_files_close(f);
    cleanup_free char *segment = segment_path();
    cleanup_close int fd = open(segment, O_RDWR | O_CLOEXEC);
    struct stat st;
    char bytes[4096];
    CHECK_INT(fstat(fd, &st), 0);
    CHECK_INT(ftruncate(fd, st.st_size - 3), 0);
    CHECK_INT(pread(fd, bytes, sizeof bytes, 0), st.st_size - 3);
    const char *at = memmem(bytes, (size_t)st.st_size - 3, "labelsdamaged", 13);
    CHECK(at && pwrite(fd, "D", 1, at - bytes + 6) == 1);
    f = opened(false);
    struct spool_place whole;
    CHECK_STR(take(f, &whole), "whole");
    CHECK_STR(take(f, NULL), "");
    spool_files_finish(f, whole);
    CHECK_INT(files_there(), 0);
    spool_files_close(f);
}

static void the_oldest_go_when_there_are_too_many_bytes(void)
{
    const struct spool_limits small = {1 << 20, 3600 * NS_PER_SEC};
    struct spool_files *f = opened(true);
    char name[16];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "n%04d", i);
        spool_files_give_back(f, append_sized(f, &small, name, 50000));
        CHECK(spool_files_counts(f).bytes <= small.bytes);
    }
    const struct spool_counts c = spool_files_counts(f);
    CHECK(c.too_many >= 20 && c.too_many < 30);
    CHECK_INT(c.waiting + c.too_many, 40);
    cleanup_buf struct buf room = BUF_INIT(16 << 20);
    struct spool_entry e;
    snprintf(name, sizeof name, "n%04zu", c.too_many);
    CHECK_INT(spool_files_take(f, &small, now, &room, &e), 0);
    CHECK(memcmp(e.profile.p, name, 5) == 0);
    struct spool_entry huge = {.labels = STR(""), .profile = {name, small.bytes + 1}};
    CHECK_INT(spool_files_append(f, &small, &huge, now, &e.place, NULL), -EFBIG);
    for (bool more = true; more;) {
        spool_files_finish(f, e.place);
        more = spool_files_take(f, &small, now, &room, &e) == 0;
    }
    CHECK_INT(files_there(), 0);
    spool_files_close(f);
}

static void age_does_not_follow_the_time_of_day(void)
{
    struct spool_files *f = opened(true);
    struct spool_place place = append(f, "young");
    spool_files_give_back(f, place);
    now.wall_ns += 30 * 24 * 3600 * NS_PER_SEC;
    now.boot_ns += 60 * NS_PER_SEC;
    CHECK_STR(take(f, &place), "young");
    spool_files_give_back(f, place);
    now.wall_ns -= 60 * 24 * 3600 * NS_PER_SEC;
    CHECK_STR(take(f, &place), "young");
    spool_files_give_back(f, place);
    now.boot_ns += 3600 * NS_PER_SEC;
    CHECK_STR(take(f, &place), "");
    CHECK_INT(spool_files_counts(f).too_old, 1);
    CHECK_INT(files_there(), 0);
    spool_files_close(f);
}

static void what_nobody_uses_is_swept(void)
{
    cleanup_free char *parent = xasprintf("%s/spool", root);
    struct spool_files *f = opened(true);
    append(f, "left");
    const int64_t tomorrow = time(NULL) + 86400;
    spool_files_sweep(parent, 3600, tomorrow); /* in use */
    CHECK_INT(files_there(), 1);
    spool_files_close(f);
    spool_files_sweep(parent, 2 * 86400, tomorrow);
    CHECK_INT(files_there(), 1);
    spool_files_sweep(parent, 3600, tomorrow);
    CHECK(access(path, F_OK) < 0);
}

int main(void)
{
    if (!mkdtemp(root))
        return 1;
    snprintf(path, sizeof path, "%s/spool/0123456789abcdef", root);
    RUN(without_a_directory_there_is_nothing);
    RUN(records_are_read_in_order_by_the_next_agent);
    RUN(records_survive_a_kill);
    RUN(torn_and_damaged_records_are_passed_over);
    RUN(the_oldest_go_when_there_are_too_many_bytes);
    RUN(age_does_not_follow_the_time_of_day);
    RUN(what_nobody_uses_is_swept);
    cleanup_free char *parent = xasprintf("%s/spool", root);
    if (rmdir(parent) < 0 || rmdir(root) < 0) {
        puts("FAIL something is left behind");
        return 1;
    }
    return REPORT();
}
