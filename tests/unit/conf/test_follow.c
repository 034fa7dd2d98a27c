#include "conf/follow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "conf/file.h"
#include "test.h"

enum { DEADLINE_MS = 10000 };

static uv_loop_t loop;
static char dir[] = "/tmp/smolder-test-XXXXXX", path[128];
static char taken[64];
static unsigned takes, discards;

static void put(const char *text)
{
    char temporary[160];
    snprintf(temporary, sizeof temporary, "%s.new", path);
    FILE *f = fopen(temporary, "w");
    if (!f || fputs(text, f) < 0)
        abort();
    fclose(f);
    if (rename(temporary, path) < 0)
        abort();
}

static void *read_text(const char *const *paths, size_t n)
{
    cleanup_buf struct buf text = BUF_INIT(0);
    if (n != 1 || conf_file_read(paths[0], 60, CONF_REGULAR, &text, NULL, NULL) < 0)
        return xstrdup("unreadable");
    return xstrdup(buf_cstr(&text));
}

static void *read_slowly(const char *const *paths, size_t n)
{
    usleep(50000);
    return read_text(paths, n);
}

static void take(void *arg, void *result)
{
    (void)arg;
    cleanup_free char *text = result;
    snprintf(taken, sizeof taken, "%s", text);
    takes++;
}

static void discard(void *result)
{
    discards++;
    free(result);
}

static struct conf_follow *follow_with(void *(*read)(const char *const *paths, size_t n), uint64_t poll_ms, bool events)
{
    char borrowed[128];
    snprintf(borrowed, sizeof borrowed, "%s", path);
    const char *paths[] = {borrowed};
    takes = discards = 0;
    *taken = '\0';
    return conf_follow_new(&(struct conf_follow_options){
        .watch =
            {.loop = &loop, .paths = paths, .path_count = 1, .no_events = !events, .poll_ms = poll_ms, .quiet_ms = 10},
        .read = read,
        .take = take,
        .discard = discard});
}

static void wait_taken_(int line, const char *want)
{
    for (int64_t ms = 0; strcmp(taken, want) != 0 && ms < DEADLINE_MS; ms++) {
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    if (strcmp(taken, want) != 0)
        FAIL_("line %d: took \"%s\", want \"%s\"", line, taken, want);
}
#define WAIT_TAKEN(want) wait_taken_(__LINE__, want)

static void reads_at_once_and_at_every_change(void)
{
    put("one");
    struct conf_follow *f = follow_with(read_text, 0, true);
    CHECK_INT(conf_follow_missed(f), 0);
    WAIT_TAKEN("one");
    put("two");
    WAIT_TAKEN("two");
    CHECK_INT(unlink(path), 0);
    WAIT_TAKEN("unreadable");
    put("three");
    WAIT_TAKEN("three");
    conf_follow_free(f);
    uv_run(&loop, UV_RUN_DEFAULT);
}

static void polls_where_nobody_tells(void)
{
    put("one");
    struct conf_follow *f = follow_with(read_text, 20, false);
    WAIT_TAKEN("one");
    put("two");
    WAIT_TAKEN("two");
    conf_follow_free(f);
    uv_run(&loop, UV_RUN_DEFAULT);
}

static void what_changes_during_a_read_is_read_again(void)
{
    put("one");
    struct conf_follow *f = follow_with(read_slowly, 5, false);
    for (int i = 0; i < 20; i++) {
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(2000);
    }
    put("two");
    WAIT_TAKEN("two");
    conf_follow_free(f);
    uv_run(&loop, UV_RUN_DEFAULT);
}

static void nothing_is_taken_after_the_end(void)
{
    put("one");
    struct conf_follow *f = follow_with(read_slowly, 0, true);
    for (int i = 0; i < 10; i++) {
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    conf_follow_free(f);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(takes, 0);
    CHECK_INT(discards, 1);
    conf_follow_free(NULL);
}

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof path, "%s/file", dir);
    uv_loop_init(&loop);
    RUN(reads_at_once_and_at_every_change);
    RUN(polls_where_nobody_tells);
    RUN(what_changes_during_a_read_is_read_again);
    RUN(nothing_is_taken_after_the_end);
    const int open_handles = uv_loop_close(&loop);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    CHECK_INT(open_handles, 0);
    return system(command) != 0 || REPORT();
}
