#include "conf/watch.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

enum { DEADLINE_MS = 10000 };

static uv_loop_t loop;
static char dir[64];
static unsigned changes;

static void on_change(void *arg)
{
    (void)arg;
    changes++;
}

static void path_of(char *out, const char *name)
{
    snprintf(out, 256, "%s/%s", dir, name);
}

static void put(const char *name, const char *text)
{
    char path[256];
    path_of(path, name);
    FILE *f = fopen(path, "w");
    if (!f || fputs(text, f) < 0)
        abort();
    fclose(f);
}

static void rename_to(const char *from, const char *to)
{
    char a[256], b[256];
    path_of(a, from);
    path_of(b, to);
    CHECK_INT(rename(a, b), 0);
}

static void link_to(const char *target, const char *name)
{
    char path[256];
    path_of(path, name);
    CHECK_INT(symlink(target, path), 0);
}

static void make(const char *name)
{
    char path[256];
    path_of(path, name);
    CHECK_INT(mkdir(path, 0755), 0);
}

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Runs until so many changes were told, or time is over. */
static void wait_changes_(int line, unsigned want)
{
    for (int64_t deadline = now_ms() + DEADLINE_MS; changes < want && now_ms() < deadline;) {
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    if (changes != want)
        FAIL_("line %d: %u changes, want %u", line, changes, want);
    changes = 0;
}
#define WAIT_CHANGES(want) wait_changes_(__LINE__, want)

/* Nothing is told for longer than anything is held back. */
static void wait_quiet(void)
{
    for (int64_t end = now_ms() + CONF_WATCH_QUIET_MS * 2; now_ms() < end; usleep(1000))
        uv_run(&loop, UV_RUN_NOWAIT);
    CHECK_INT(changes, 0);
}

static struct conf_watch *begin(const char *const *paths, size_t n)
{
    changes = 0;
    struct conf_watch *w = conf_watch_new(&(struct conf_watch_options){
        .loop = &loop, .paths = paths, .path_count = n, .entries = "*.alloy", .changed = on_change});
    CHECK_INT(conf_watch_missed(w), 0);
    return w;
}

static void set_up(void)
{
    snprintf(dir, sizeof dir, "/tmp/smolder-test-XXXXXX");
    if (!mkdtemp(dir))
        abort();
}

static void tear_down(struct conf_watch *w)
{
    conf_watch_free(w);
    uv_run(&loop, UV_RUN_DEFAULT);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    if (system(command) != 0)
        puts("cannot remove the test's directory");
}

static void sees_a_file_that_is_written_replaced_or_made_anew(void)
{
    set_up();
    char path[256];
    path_of(path, "config.alloy");
    put("config.alloy", "1");
    const char *paths[] = {path};
    struct conf_watch *w = begin(paths, 1);
    put("config.alloy", "2");
    WAIT_CHANGES(1);
    put("config.alloy.tmp", "3"); /* no name of ours */
    wait_quiet();
    rename_to("config.alloy.tmp", "config.alloy");
    WAIT_CHANGES(1);
    put("config.alloy", "4");
    WAIT_CHANGES(1);
    CHECK_INT(unlink(path), 0);
    WAIT_CHANGES(1);
    put("config.alloy", "5");
    WAIT_CHANGES(1);
    tear_down(w);
}

static void tells_many_changes_once(void)
{
    set_up();
    char path[256];
    path_of(path, "config.alloy");
    put("config.alloy", "1");
    const char *paths[] = {path};
    struct conf_watch *w = begin(paths, 1);
    for (int i = 0; i < 20; i++) {
        put("config.alloy", "again");
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    WAIT_CHANGES(1);
    wait_quiet();
    tear_down(w);
}

static void tells_now_and_then_of_what_never_rests(void)
{
    set_up();
    char path[256];
    path_of(path, "config.alloy");
    put("config.alloy", "1");
    const char *paths[] = {path};
    struct conf_watch *w = begin(paths, 1);
    const int64_t begun = now_ms();
    int64_t last = begun, longest = 0;
    while (changes == 0 && now_ms() < begun + DEADLINE_MS) {
        put("config.alloy", "again");
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(10000);
        longest = now_ms() - last > longest ? now_ms() - last : longest;
        last = now_ms();
    }
    CHECK_INT(changes, 1);
    /* On a machine so busy that we slept for longer than a moment of quiet, there was one. */
    CHECK(longest >= CONF_WATCH_QUIET_MS / 2 || now_ms() - begun >= CONF_WATCH_PATIENCE_MS / 2);
    tear_down(w);
}

static void sees_files_come_and_go_in_a_directory(void)
{
    set_up();
    put("a.alloy", "1");
    const char *paths[] = {dir};
    struct conf_watch *w = begin(paths, 1);
    put("b.alloy", "1");
    WAIT_CHANGES(1);
    put("notes.txt", "1");
    put("b.alloy.swp", "1");
    wait_quiet();
    rename_to("b.alloy", "b.off");
    WAIT_CHANGES(1);
    tear_down(w);
}

static void sees_a_config_map_of_kubernetes_swapped(void)
{
    set_up();
    make("..one");
    make("..two");
    make("..three");
    put("..one/config.alloy", "1");
    put("..two/config.alloy", "2");
    put("..three/config.alloy", "3");
    link_to("..one", "..data");
    link_to("..data/config.alloy", "config.alloy");
    char file[256];
    path_of(file, "config.alloy");
    const char *const both[][1] = {{file}, {dir}};
    for (size_t i = 0; i < 2; i++) {
        struct conf_watch *w = begin(both[i], 1);
        link_to("..two", "..tmp");
        rename_to("..tmp", "..data");
        WAIT_CHANGES(1);
        /* The next swap is seen by what was looked at anew. */
        link_to("..three", "..tmp");
        rename_to("..tmp", "..data");
        WAIT_CHANGES(1);
        put("..three/config.alloy", "4");
        WAIT_CHANGES(1);
        conf_watch_free(w);
        uv_run(&loop, UV_RUN_DEFAULT);
    }
    tear_down(NULL);
}

static void follows_links_to_directories(void)
{
    set_up();
    make("one");
    make("two");
    put("one/a.alloy", "1");
    put("two/a.alloy", "2");
    link_to("one", "current");
    char path[256];
    path_of(path, "current");
    const char *paths[] = {path};
    struct conf_watch *w = begin(paths, 1);
    put("one/a.alloy", "3");
    WAIT_CHANGES(1);
    link_to("two", "next");
    rename_to("next", "current");
    WAIT_CHANGES(1);
    put("one/a.alloy", "4");
    wait_quiet();
    put("two/b.alloy", "4");
    WAIT_CHANGES(1);
    tear_down(w);
}

static void waits_for_what_is_not_there_yet(void)
{
    set_up();
    char path[256];
    path_of(path, "etc/smolder/config.alloy");
    const char *paths[] = {path};
    struct conf_watch *w = begin(paths, 1);
    make("etc");
    WAIT_CHANGES(1);
    make("etc/smolder");
    WAIT_CHANGES(1);
    put("etc/smolder/config.alloy", "1");
    WAIT_CHANGES(1);
    tear_down(w);
}

static void ends_in_a_ring_of_links(void)
{
    set_up();
    link_to("b", "a");
    link_to("a", "b");
    char path[256];
    path_of(path, "a");
    const char *paths[] = {path, "relative/../nowhere", "/"};
    struct conf_watch *w = begin(paths, 3);
    CHECK_INT(unlink(path), 0);
    put("a", "1");
    WAIT_CHANGES(1);
    tear_down(w);
}

static struct conf_watch *begin_patterns(const char *const *patterns, size_t n)
{
    changes = 0;
    return conf_watch_new(&(struct conf_watch_options){
        .loop = &loop, .paths = patterns, .path_count = n, .patterns = true, .changed = on_change});
}

static void watches_what_matches_a_pattern(void)
{
    set_up();
    put("a.json", "1");
    char pattern[256];
    path_of(pattern, "*.json");
    const char *paths[] = {pattern};
    struct conf_watch *w = begin_patterns(paths, 1);
    put("a.json", "2");
    WAIT_CHANGES(1);
    put("b.json", "1");
    WAIT_CHANGES(1);
    put("b.yml", "1");
    wait_quiet();
    rename_to("b.json", "b.off");
    WAIT_CHANGES(1);
    tear_down(w);
}

static void follows_patterns_of_folders_and_links_below_them(void)
{
    set_up();
    make("one");
    make("..real");
    put("..real/t.json", "1");
    link_to("..real", "one/..data");
    put("one/ignored.txt", "1");
    char pattern[256], real[256];
    path_of(pattern, "*/t.json");
    path_of(real, "..real");
    const char *paths[] = {pattern};
    struct conf_watch *w = begin_patterns(paths, 1);
    link_to("../..real/t.json", "one/t.json");
    WAIT_CHANGES(1);
    put("..real/t.json", "2"); /* behind the link */
    WAIT_CHANGES(1);
    make("two"); /* a folder that matches */
    WAIT_CHANGES(1);
    put("two/t.json", "1");
    WAIT_CHANGES(1);
    put("one/ignored.txt", "2");
    wait_quiet();
    tear_down(w);
}

static void a_pattern_ends_somewhere(void)
{
    set_up();
    link_to(".", "loop");
    char pattern[256];
    path_of(pattern, "*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*.json");
    const char *paths[] = {pattern};
    struct conf_watch *w = begin_patterns(paths, 1);
    CHECK(conf_watch_missed(w) > 0);
    tear_down(w);
}

static void polls_besides_events_or_alone(void)
{
    set_up();
    char path[256];
    path_of(path, "config.alloy");
    const char *paths[] = {path};
    changes = 0;
    struct conf_watch *w = conf_watch_new(&(struct conf_watch_options){
        .loop = &loop, .paths = paths, .path_count = 1, .no_events = true, .changed = on_change});
    put("config.alloy", "1");
    wait_quiet();
    conf_watch_free(w);
    w = conf_watch_new(&(struct conf_watch_options){
        .loop = &loop, .paths = paths, .path_count = 1, .no_events = true, .poll_ms = 20, .changed = on_change});
    WAIT_CHANGES(1);
    WAIT_CHANGES(1);
    tear_down(w);
}

int main(void)
{
    uv_loop_init(&loop);
    RUN(sees_a_file_that_is_written_replaced_or_made_anew);
    RUN(tells_many_changes_once);
    RUN(tells_now_and_then_of_what_never_rests);
    RUN(sees_files_come_and_go_in_a_directory);
    RUN(sees_a_config_map_of_kubernetes_swapped);
    RUN(follows_links_to_directories);
    RUN(waits_for_what_is_not_there_yet);
    RUN(ends_in_a_ring_of_links);
    RUN(watches_what_matches_a_pattern);
    RUN(follows_patterns_of_folders_and_links_below_them);
    RUN(a_pattern_ends_somewhere);
    RUN(polls_besides_events_or_alone);
    if (uv_loop_close(&loop) != 0) {
        puts("FAIL a handle is left open");
        return 1;
    }
    return REPORT();
}
