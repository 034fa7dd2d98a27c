/* The list of make-ups that an attach killed: its rule, its file, and what others do to the file. */
#include "jvm/session/quarantine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "test.h"

static char top[] = "/tmp/smolder-quarantine-XXXXXX", dir[64], file[128], problems[1024];
static uv_loop_t loop;
static struct quarantine *q;

static void problem(void *arg, const char *text)
{
    (void)arg;
    snprintf(problems, sizeof problems, "%s", text);
}

static struct jvm_makeup makeup(unsigned number, uint32_t uid)
{
    struct jvm_makeup m = {.uid = uid};
    snprintf(m.key, sizeof m.key, "%032x", number);
    snprintf(m.exe, sizeof m.exe, "/opt/jdk/bin/java");
    snprintf(m.main, sizeof m.main, "Main%u", number);
    snprintf(m.build, sizeof m.build, "17.0.15+6");
    return m;
}

static void settle(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
}

static void begin(void)
{
    (void)!unlink(file);
    problems[0] = '\0';
    q = quarantine_new(&loop, dir, problem, NULL);
}

static void end(void)
{
    settle();
    quarantine_free(q);
    settle();
    CHECK_STR(problems, "");
}

/* As after a restart of the agent. */
static void restart(void)
{
    end();
    q = quarantine_new(&loop, dir, problem, NULL);
}

static bool condemned(const struct jvm_makeup *m)
{
    char text[ERR_MAX];
    return quarantine_reason(q, m->key, text, sizeof text);
}

static void a_fault_condemns_at_once_and_for_good(void)
{
    const struct jvm_makeup m = makeup(1, 0), other = makeup(2, 0);
    char text[ERR_MAX];
    begin();
    CHECK_STR(quarantine_keys(q), "");
    CHECK(quarantine_died(q, &m, JVM_END_FAULT, "killed by SIGSEGV 0.3 s after the attach"));
    CHECK(!quarantine_died(q, &m, JVM_END_FAULT, "again")); /* known: said once */
    for (int i = 0; i < 2; i++) {
        CHECK_STR(quarantine_keys(q), m.key);
        CHECK(quarantine_reason(q, m.key, text, sizeof text));
        CHECK_HAS(text, "(Main1, 17.0.15+6) was killed by SIGSEGV 0.3 s after the attach");
        CHECK_HAS(text, "smolder forgive");
        CHECK(!condemned(&other));
        restart();
    }
    quarantine_lived(q, &m); /* by retry_crashed: still to be forgiven by a person */
    CHECK(condemned(&m));
    end();
}

static void the_oom_killer_condemns(void)
{
    const struct jvm_makeup m = makeup(1, 0);
    begin();
    CHECK(quarantine_died(q, &m, JVM_END_OOM, "OOM-killed at the attach"));
    CHECK(condemned(&m));
    end();
}

static void one_that_ends_by_itself_is_no_suspect(void)
{
    const struct jvm_makeup m = makeup(1, 0);
    begin();
    for (int i = 0; i < 20; i++)
        CHECK(!quarantine_died(q, &m, JVM_END_SELF, ""));
    /* Nor when its parent was faster afterwards. */
    for (int i = 0; i < 20; i++)
        CHECK(!quarantine_died(q, &m, JVM_END_UNKNOWN, "ended 5 s after the attach"));
    CHECK(!condemned(&m));
    CHECK(quarantine_died(q, &m, JVM_END_FAULT, "killed"));
    end();
}

static void two_unexplained_ends_condemn(void)
{
    const struct jvm_makeup m = makeup(1, 0);
    begin();
    CHECK(!quarantine_died(q, &m, JVM_END_UNKNOWN, "ended"));
    CHECK(!condemned(&m));
    restart();
    CHECK_STR(quarantine_keys(q), "");
    CHECK(quarantine_died(q, &m, JVM_END_UNKNOWN, "ended"));
    CHECK(condemned(&m));
    end();
}

static void one_kill_condemns_what_was_never_seen_to_live_on(void)
{
    const struct jvm_makeup m = makeup(1, 0);
    begin();
    CHECK(quarantine_died(q, &m, JVM_END_KILLED, "killed by SIGKILL"));
    CHECK(condemned(&m));
    restart();
    CHECK(condemned(&m));
    end();
}

static void one_that_lives_on_loses_its_strike(void)
{
    const struct jvm_makeup m = makeup(1, 0);
    begin();
    CHECK(!quarantine_died(q, &m, JVM_END_UNKNOWN, "ended"));
    quarantine_lived(q, &m);
    restart();
    CHECK(!quarantine_died(q, &m, JVM_END_UNKNOWN, "ended"));
    CHECK(!condemned(&m));
    quarantine_lived(q, &m);
    for (int i = 0; i < 5; i++)
        CHECK(!quarantine_died(q, &m, JVM_END_KILLED, "killed by SIGKILL"));
    end();
}

static void an_unknown_make_up_is_nobodys(void)
{
    const struct jvm_makeup none = {0};
    begin();
    CHECK(!quarantine_died(q, &none, JVM_END_FAULT, "killed"));
    quarantine_lived(q, &none);
    CHECK_STR(quarantine_keys(q), "");
    end();
}

static bool remove_all(void *arg, struct quarantine_list *l)
{
    (void)arg;
    l->len = 0;
    return true;
}

static void what_is_forgiven_in_the_file_is_forgiven(void)
{
    const struct jvm_makeup m = makeup(1, 0);
    struct err err = {0};
    begin();
    CHECK(quarantine_died(q, &m, JVM_END_FAULT, "killed"));
    settle();
    CHECK(condemned(&m));
    CHECK_INT(quarantine_edit(dir, remove_all, NULL, &err), 0);
    for (int i = 0; i < 500 && condemned(&m); i++)
        usleep(10000);
    CHECK(!condemned(&m));
    end();
}

static void the_file_is_for_its_owner_and_whole(void)
{
    const struct jvm_makeup m = makeup(1, 0);
    struct stat st;
    begin();
    CHECK(quarantine_died(q, &m, JVM_END_FAULT, "killed"));
    settle();
    CHECK_INT(stat(file, &st), 0);
    CHECK_INT(st.st_mode & 07777, 0600);
    CHECK_INT(stat(dir, &st), 0);
    CHECK_INT(st.st_mode & 07777, 0700);
    char left[160];
    snprintf(left, sizeof left, "%s/quarantine.new", dir);
    CHECK(access(left, F_OK) < 0);
    end();
}

/* `smolder record` by root, beside an agent that runs as another user. */
static void roots_file_is_for_the_owner_of_the_directory(void)
{
    static const char *const names[] = {"quarantine", "quarantine.lock"};
    const struct jvm_makeup m = makeup(1, 0);
    char theirs[128];
    struct stat st;
    if (geteuid() != 0) {
        SKIP(roots_file_is_for_the_owner_of_the_directory, "not root");
        return;
    }
    snprintf(theirs, sizeof theirs, "%s/theirs", top);
    CHECK_INT(mkdir(theirs, 0700), 0);
    CHECK_INT(chown(theirs, 1234, 1235), 0);
    q = quarantine_new(&loop, theirs, problem, NULL);
    CHECK(quarantine_died(q, &m, JVM_END_FAULT, "killed"));
    end();
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char path[160];
        snprintf(path, sizeof path, "%s/%s", theirs, names[i]);
        CHECK_INT(stat(path, &st), 0);
        CHECK_INT(st.st_uid, 1234);
        CHECK_INT(st.st_gid, 1235);
        CHECK_INT(st.st_mode & 07777, 0600);
    }
}

static void a_file_that_cannot_be_written_is_said(void)
{
    const struct jvm_makeup m = makeup(1, 0);
    char name[128];
    snprintf(name, sizeof name, "%s/file", top);
    fclose(fopen(name, "w"));
    q = quarantine_new(&loop, name, problem, NULL);
    CHECK(quarantine_died(q, &m, JVM_END_FAULT, "killed"));
    settle();
    CHECK_HAS(problems, name);
    CHECK(condemned(&m)); /* in memory */
    problems[0] = '\0';
    end();
    q = quarantine_new(&loop, "", problem, NULL);
    CHECK(quarantine_died(q, &m, JVM_END_FAULT, "killed"));
    CHECK(condemned(&m));
    end();
}

static void a_lock_that_is_not_given_back_holds_nobody_up(void)
{
    const struct jvm_makeup m = makeup(1, 0);
    char name[160];
    begin();
    CHECK(quarantine_died(q, &m, JVM_END_FAULT, "killed"));
    settle();
    snprintf(name, sizeof name, "%s/quarantine.lock", dir);
    cleanup_close int other = open(name, O_RDWR | O_CLOEXEC);
    CHECK_INT(flock(other, LOCK_EX), 0);
    const struct jvm_makeup next = makeup(2, 0);
    CHECK(quarantine_died(q, &next, JVM_END_FAULT, "killed"));
    settle();
    CHECK_HAS(problems, "quarantine.lock");
    problems[0] = '\0';
    end();
}

static void what_lies_in_the_way_is_not_followed(void)
{
    const struct jvm_makeup m = makeup(1, 0);
    char name[160];
    struct stat st;
    begin();
    snprintf(name, sizeof name, "%s/victim", top);
    CHECK_INT(symlink(name, file), 0);
    CHECK(quarantine_died(q, &m, JVM_END_FAULT, "killed"));
    settle();
    CHECK(lstat(name, &st) < 0);
    CHECK_HAS(problems, "quarantine");
    CHECK_INT(unlink(file), 0);
    CHECK_INT(mkfifo(file, 0600), 0);
    CHECK(quarantine_died(q, &(struct jvm_makeup){.key = "11111111111111111111111111111111"}, JVM_END_FAULT, "killed"));
    settle();
    CHECK_HAS(problems, "is not a regular file");
    problems[0] = '\0';
    end();
}

static void a_write_under_way_survives_its_owner(void)
{
    const struct jvm_makeup m = makeup(1, 0);
    cleanup_quarantine_list struct quarantine_list l = QUARANTINE_LIST_INIT;
    struct err err;
    begin();
    CHECK(quarantine_died(q, &m, JVM_END_FAULT, "killed"));
    quarantine_free(q);
    settle();
    CHECK_INT(quarantine_load(dir, &l, &err), 0);
    CHECK_INT(l.len, 1);
}

static void foreign_text_is_made_harmless(void)
{
    struct jvm_makeup m = makeup(1, 0);
    cleanup_quarantine_list struct quarantine_list l = QUARANTINE_LIST_INIT;
    snprintf(m.main, sizeof m.main, "Main1");
    begin();
    CHECK(quarantine_died(q, &m, JVM_END_FAULT, "killed\n\033[31m\tby"));
    end();
    cleanup_buf struct buf text = BUF_INIT(4096);
    struct err err;
    CHECK_INT(quarantine_load(dir, &l, &err), 0);
    CHECK_INT(l.len, 1);
    CHECK_STR(l.len ? l.items[0].why : "", "killed??[31m?by");
    quarantine_print(&l, &text);
    CHECK_INT(memchr(text.p, '\033', text.len) != NULL, 0);
}

static void lines_that_are_none_are_skipped(void)
{
    static const char text[] = "\n\t\t\t\t\t\t\t\n"
                               "0123456789abcdef0123456789abcdef\t2\t5\t0\twhy\t/j\tM\t17\n"
                               "0123456789abcdef0123456789abcdeg\t2\t5\t0\twhy\t/j\tM\t17\n"
                               "0123456789abcdef0123456789abcde\t2\t5\t0\twhy\t/j\tM\t17\n"
                               "1123456789abcdef0123456789abcdef\t9\t5\t0\twhy\t/j\tM\t17\n"
                               "2123456789abcdef0123456789abcdef\t0\t5\t0\twhy\t/j\tM\t17\n"
                               "3123456789abcdef0123456789abcdef\t1\tx\t0\twhy\t/j\tM\t17\n"
                               "4123456789abcdef0123456789abcdef\t1\t5\t99999999999\twhy\t/j\tM\t17\n"
                               "5123456789abcdef0123456789abcdef\t1\t5\t0\twhy";
    cleanup_quarantine_list struct quarantine_list l = QUARANTINE_LIST_INIT;
    quarantine_parse(STR(text), &l);
    CHECK_INT(l.len, 1);
    CHECK_STR(l.len ? l.items[0].makeup.key : "", "0123456789abcdef0123456789abcdef");
}

static void nobody_fills_it_for_others(void)
{
    cleanup_quarantine_list struct quarantine_list l = QUARANTINE_LIST_INIT;
    struct quarantine_entry e = {.strikes = 2, .makeup = makeup(1, 1000)};
    quarantine_list_put(&l, &e);
    for (unsigned i = 0; i < 1000; i++) {
        e.makeup = makeup(100 + i, 2000);
        quarantine_list_put(&l, &e);
    }
    CHECK_INT(l.len, QUARANTINE_USER_MAX + 1);
    CHECK(quarantine_list_find(&l, makeup(1, 1000).key));
    CHECK(quarantine_list_find(&l, makeup(1099, 2000).key));
    for (unsigned i = 0; i < 1000; i++) {
        e.makeup = makeup(5000 + i, 3000 + i);
        quarantine_list_put(&l, &e);
    }
    CHECK_INT(l.len, QUARANTINE_MAX);
}

static void clean_up(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", top);
    (void)!system(command);
}

static void the_profiler_that_crashed_is_kept_and_older_lists_have_none(void)
{
    static const char old[] = "0123456789abcdef0123456789abcdef\t2\t1700000000\t1000\tkilled\t/java\tMain\t17\n";
    cleanup_quarantine_list struct quarantine_list l = QUARANTINE_LIST_INIT, again = QUARANTINE_LIST_INIT;
    cleanup_buf struct buf text = BUF_INIT(4096);
    quarantine_parse(str_of(old), &l);
    CHECK_INT(l.len, 1);
    CHECK_STR(l.items[0].makeup.build, "17");
    CHECK_STR(l.items[0].makeup.profiler, "");
    snprintf(l.items[0].makeup.profiler, sizeof l.items[0].makeup.profiler, "fedcba987654");
    quarantine_print(&l, &text);
    quarantine_parse(buf_slice(&text), &again);
    CHECK_STR(again.items[0].makeup.profiler, "fedcba987654");
}

static void want_of_memory_of_the_host_is_no_strike(void)
{
    begin();
    const struct jvm_makeup m = makeup(1, 1000);
    const unsigned version = quarantine_version(q);
    for (int i = 0; i < 3; i++)
        CHECK(!quarantine_died(q, &m, JVM_END_OOM_HOST, "OOM-killed"));
    CHECK(!condemned(&m));
    CHECK_INT(quarantine_version(q), version);
    CHECK(quarantine_died(q, &m, JVM_END_FAULT, "killed"));
    CHECK(quarantine_version(q) != version);
    settle();
    end();
}

int main(void)
{
    if (!mkdtemp(top))
        return 1;
    snprintf(dir, sizeof dir, "%s/data", top);
    snprintf(file, sizeof file, "%s/quarantine", dir);
    uv_loop_init(&loop);
    RUN(a_fault_condemns_at_once_and_for_good);
    RUN(the_oom_killer_condemns);
    RUN(one_that_ends_by_itself_is_no_suspect);
    RUN(two_unexplained_ends_condemn);
    RUN(one_kill_condemns_what_was_never_seen_to_live_on);
    RUN(one_that_lives_on_loses_its_strike);
    RUN(an_unknown_make_up_is_nobodys);
    RUN(what_is_forgiven_in_the_file_is_forgiven);
    RUN(the_file_is_for_its_owner_and_whole);
    RUN(roots_file_is_for_the_owner_of_the_directory);
    RUN(a_file_that_cannot_be_written_is_said);
    RUN(a_lock_that_is_not_given_back_holds_nobody_up);
    RUN(what_lies_in_the_way_is_not_followed);
    RUN(a_write_under_way_survives_its_owner);
    RUN(foreign_text_is_made_harmless);
    RUN(lines_that_are_none_are_skipped);
    RUN(nobody_fills_it_for_others);
    RUN(the_profiler_that_crashed_is_kept_and_older_lists_have_none);
    RUN(want_of_memory_of_the_host_is_no_strike);
    uv_loop_close(&loop);
    clean_up();
    return REPORT();
}
