/* The property that everything else of the store serves: whatever was packed, sealed, opened again or killed in
 * between, answers are those of a store that keeps all profiles as they were pushed. */
#include "store/compaction.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "random_store.h"
#include "store/block_cache.h"
#include "test.h"

enum { PUSHES = 300, QUESTIONS = 12 };

static char path[64];

static void new_path(void)
{
    static int number;
    snprintf(path, sizeof path, "/tmp/smolder-test-compaction-%d-%d", (int)getpid(), number++);
}

static void remove_files(void)
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        char name[80];
        snprintf(name, sizeof name, "%s%s", path, parts[i]);
        unlink(name);
    }
}

static struct db open_db(const char *where)
{
    struct db db = DB_INIT;
    struct err err = {0};
    if (db_open(where, &db, &err) < 0) {
        printf("  %s\n", err.text);
        exit(1);
    }
    return db;
}

static int64_t count(struct db *db, const char *sql)
{
    struct err err = {0};
    int64_t n = -1;
    if (db_number(db, sql, &n, &err) < 0)
        printf("  %s\n", err.text);
    return n;
}

static void push(struct db *db, uint64_t seed, uint64_t number)
{
    struct err err = {0};
    if (random_push(db, seed, number, PUSHES, &err) < 0)
        FAIL_("push %llu: %s", (unsigned long long)number, err.text);
}

/* One step, or all that there is; `sealing`: also of hours that are over. */
static bool compact(struct db *db, struct compaction *c, bool sealing, bool all)
{
    struct store_reader r = {.db = db};
    struct err err = {0};
    int code;
    do {
        struct compaction_step step = {0};
        code = compaction_read(c, &r, sealing ? time(NULL) + 2 * SEAL_AFTER_S : 0, &step, &err);
        if (code == 1)
            code = compaction_write(c, db, &step, &err);
        compaction_step_done(&step);
        if (code < 0)
            FAIL_("%s", err.text);
    } while (all && code == 1);
    CHECK_INT(r.left_out, 0);
    CHECK_INT(r.set_aside, 0);
    return code == 1;
}

/* Where two texts differ first, as far as a terminal shows it. */
static void show_difference(const char *got, const char *want)
{
    size_t at = 0, line = 0;
    for (; got[at] && got[at] == want[at]; at++)
        line = got[at] == '\n' ? at + 1 : line;
    FAIL_("of %.*s\n  got  %.*s\n  want %.*s", (int)strcspn(want, "\n"), want, (int)strcspn(got + line, "\n"),
          got + line, (int)strcspn(want + line, "\n"), want + line);
}

static bool same_answer(struct store_reader *got, struct store_reader *want, const struct random_question *q)
{
    cleanup_buf struct buf a = random_answer(got, q), b = random_answer(want, q);
    const bool same = strcmp(buf_cstr(&a), buf_cstr(&b)) == 0;
    if (!same)
        show_difference(buf_cstr(&a), buf_cstr(&b));
    return same;
}

struct one_profile {
    uint64_t countdown;
    uint8_t id[PROFILE_ID_SIZE];
    bool found;
};

static void pick_profile(void *arg, const struct store_point *p)
{
    struct one_profile *one = arg;
    if (one->countdown-- != 0)
        return;
    memcpy(one->id, p->id, sizeof one->id);
    one->found = true;
}

/* Of one profile alone, which the question selects. */
static bool same_profile(struct store_reader *got, struct store_reader *want, struct random_question q, uint64_t *state)
{
    struct err err = {0};
    struct one_profile one = {.countdown = random_below(state, 10)};
    cleanup_label_selector struct label_selector s = LABEL_SELECTOR_INIT;
    const struct store_filter filter = {&s, q.range};
    CHECK_INT(label_selector_add(&s, str_of(q.selector), &err), 0);
    CHECK_INT(store_each_point(want, &filter, pick_profile, &one, &err), 0);
    if (!one.found)
        return true;
    q.profiles = &one.id;
    q.profile_count = 1;
    return same_answer(got, want, &q);
}

static void check_answers(struct db *got, struct db *want, struct block_cache *cache, uint64_t seed)
{
    struct store_reader g = {.db = got, .cache = cache}, w = {.db = want};
    uint64_t state = random_state(seed, 4242);
    bool same = true;
    for (size_t i = 0; i < QUESTIONS && same; i++) {
        const struct random_question q = random_ask(&state);
        same = same_answer(&g, &w, &q) && same_profile(&g, &w, q, &state);
    }
    CHECK_INT(g.left_out, 0);
}

/* ---- */

static void answers_stay_the_same_through_every_step(void)
{
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct db plain = open_db(":memory:"), packed = open_db(":memory:");
        struct block_cache *cache = block_cache_new(1 << 20);
        struct compaction c = {0};
        uint64_t state = random_state(seed, 1);
        for (uint64_t i = 0; i < PUSHES; i++) {
            push(&plain, seed, i);
            push(&packed, seed, i);
            if (random_below(&state, 20) == 0) {
                (void)compact(&packed, &c, random_below(&state, 2), random_below(&state, 2));
                check_answers(&packed, &plain, cache, seed + i);
            }
        }
        (void)compact(&packed, &c, false, true);
        CHECK_INT(count(&packed, "SELECT count(*) FROM body"), 0);
        CHECK_INT(count(&packed, "SELECT count(*) FROM profile"), 0);
        check_answers(&packed, &plain, cache, seed);
        (void)compact(&packed, &c, true, true);
        CHECK_INT(count(&packed, "SELECT count(*) FROM block WHERE sealed = 0"), 0);
        CHECK_INT(
            count(&packed, "SELECT count(*) FROM (SELECT 1 FROM slice GROUP BY series, block HAVING count(*) > 1)"), 0);
        check_answers(&packed, &plain, cache, seed + 1);
        CHECK_INT(count(&packed, "SELECT sum(profiles) FROM slice"), count(&plain, "SELECT count(*) FROM profile"));
        CHECK(count(&packed, "SELECT count(*) FROM slice WHERE length(sum) > 0") > 5);
        CHECK(count(&packed, "SELECT count(*) FROM slice WHERE length(sum) = 0") > 5);
        db_close(&plain);
        db_close(&packed);
        block_cache_free(cache);
    }
}

static void what_was_packed_is_not_pushed_again(void)
{
    struct db plain = open_db(":memory:"), packed = open_db(":memory:");
    struct compaction c = {0};
    for (uint64_t i = 0; i < PUSHES; i++) {
        push(&plain, 7, i);
        push(&packed, 7, i);
    }
    (void)compact(&packed, &c, true, true);
    for (uint64_t i = 0; i < PUSHES; i++)
        push(&packed, 7, i);
    CHECK_INT(count(&packed, "SELECT count(*) FROM body"), 0);
    CHECK_INT(count(&packed, "SELECT count(*) FROM profile"), 0);
    check_answers(&packed, &plain, NULL, 7);
    db_close(&plain);
    db_close(&packed);
}

static void late_profiles_unseal_a_block(void)
{
    struct db plain = open_db(":memory:"), packed = open_db(":memory:");
    struct compaction c = {0};
    for (uint64_t i = 0; i < PUSHES; i++) {
        push(&plain, 8, i);
        if (i % 4)
            push(&packed, 8, i);
    }
    (void)compact(&packed, &c, true, true);
    for (uint64_t i = 0; i < PUSHES; i += 4)
        push(&packed, 8, i);
    (void)compact(&packed, &c, false, true);
    CHECK(count(&packed, "SELECT count(*) FROM block WHERE sealed = 0") > 0);
    check_answers(&packed, &plain, NULL, 8);
    (void)compact(&packed, &c, true, true);
    CHECK_INT(count(&packed, "SELECT count(*) FROM block WHERE sealed = 0"), 0);
    CHECK_INT(count(&packed, "SELECT count(*) FROM block"),
              count(&packed, "SELECT count(*) FROM (SELECT DISTINCT service, hour FROM block)"));
    check_answers(&packed, &plain, NULL, 9);
    db_close(&plain);
    db_close(&packed);
}

static void answers_stay_the_same_when_it_is_opened_again(void)
{
    struct db plain = open_db(":memory:");
    struct compaction c = {0};
    new_path();
    for (uint64_t i = 0; i < PUSHES;) {
        struct db packed = open_db(path);
        for (const uint64_t until = i + 40; i < until && i < PUSHES; i++) {
            push(&plain, 9, i);
            push(&packed, 9, i);
        }
        (void)compact(&packed, &c, i % 80 == 0, true);
        db_close(&packed);
        packed = open_db(path);
        check_answers(&packed, &plain, NULL, i);
        db_close(&packed);
    }
    db_close(&plain);
    remove_files();
}

/* A database of the schema before is one whose journal was never packed. */
static void a_database_of_before_is_packed_in_place(void)
{
    struct err err = {0};
    struct compaction c = {0};
    struct db plain = open_db(":memory:");
    new_path();
    struct db packed = open_db(path);
    for (uint64_t i = 0; i < PUSHES; i++) {
        push(&plain, 11, i);
        if (i < PUSHES / 2)
            push(&packed, 11, i);
    }
    CHECK_INT(db_exec(&packed, "DROP TABLE block; DROP TABLE slice; DROP TABLE setting; PRAGMA user_version = 1", &err),
              0);
    db_close(&packed);
    packed = open_db(path);
    for (uint64_t i = PUSHES / 2; i < PUSHES; i++)
        push(&packed, 11, i);
    check_answers(&packed, &plain, NULL, 11);
    (void)compact(&packed, &c, true, true);
    check_answers(&packed, &plain, NULL, 11);
    CHECK_INT(count(&packed, "SELECT count(*) FROM body"), 0);
    db_close(&packed);
    db_close(&plain);
    remove_files();
}

/* ---- kill -9 ---- */

/* Pushes and packs for as long as it lives; says after each push how many there are. */
static void work_until_killed(int out, uint64_t seed, uint64_t from)
{
    struct db db = open_db(path);
    struct compaction c = {0};
    uint64_t state = random_state(seed, from + 99);
    struct err err = {0};
    for (uint64_t i = from; i < PUSHES; i++) {
        if (db_exec(&db, "BEGIN IMMEDIATE", &err) < 0 || random_push(&db, seed, i, PUSHES, &err) < 0 ||
            db_exec(&db, "COMMIT", &err) < 0)
            _exit(2);
        const uint32_t done = (uint32_t)i + 1;
        if (write(out, &done, sizeof done) != sizeof done)
            _exit(2);
        if (random_below(&state, 6) == 0)
            (void)compact(&db, &c, random_below(&state, 2), true);
    }
    (void)compact(&db, &c, true, true);
    _exit(0);
}

static int64_t profiles(struct db *db)
{
    return count(db, "SELECT (SELECT count(*) FROM profile) + (SELECT ifnull(sum(profiles), 0) FROM slice)");
}

static uint32_t kill_at_random(uint64_t seed, uint64_t from, uint64_t *state, bool *finished)
{
    int fds[2], status = 0;
    if (pipe(fds) < 0)
        exit(1);
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        close(fds[0]);
        work_until_killed(fds[1], seed, from);
    }
    close(fds[1]);
    uint32_t done = (uint32_t)from, next;
    const uint64_t pushes = 1 + random_below(state, 40);
    for (uint64_t i = 0; i < pushes && read(fds[0], &next, sizeof next) == (ssize_t)sizeof next; i++)
        done = next;
    const struct timespec pause = {0, (long)random_below(state, 4000) * 1000};
    nanosleep(&pause, NULL);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    while (read(fds[0], &next, sizeof next) == (ssize_t)sizeof next)
        done = next;
    close(fds[0]);
    CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    *finished = WIFEXITED(status);
    return done;
}

static void nothing_is_lost_or_counted_twice_when_it_is_killed(void)
{
    struct db plain = open_db(":memory:");
    uint64_t state = random_state((uint64_t)clock_ns(), 5), pushed = 0, kills = 0;
    bool finished = false;
    new_path();
    for (uint64_t from = 0; !finished && !checks_failed; kills++) {
        const uint64_t done = kill_at_random(10, from, &state, &finished);
        struct db packed = open_db(path);
        for (; pushed < done; pushed++)
            push(&plain, 10, pushed);
        /* The next one may have been written, and not said. */
        if (pushed < PUSHES && profiles(&packed) > profiles(&plain))
            push(&plain, 10, pushed++);
        check_answers(&packed, &plain, NULL, from);
        db_close(&packed);
        from = pushed;
    }
    CHECK_INT(pushed, PUSHES);
    CHECK(kills > 3);
    db_close(&plain);
    remove_files();
}

int main(void)
{
    RUN(answers_stay_the_same_through_every_step);
    RUN(what_was_packed_is_not_pushed_again);
    RUN(late_profiles_unseal_a_block);
    RUN(answers_stay_the_same_when_it_is_opened_again);
    RUN(a_database_of_before_is_packed_in_place);
    RUN(nothing_is_lost_or_counted_twice_when_it_is_killed);
    return REPORT();
}
