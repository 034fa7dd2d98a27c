/* A store with a journal and blocks, of which each page is damaged in turn. What a page has is known from SQLite's
 * dbstat of the database as it was. */
#include "store/salvage.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "random_store.h"
#include "store/compaction.h"
#include "store/sqlite_library.h"
#include "test.h"

enum { PUSHES = 320, STACKS = 2000, PAGE = 4096 };

static char intact[64], damaged[80];
static uint8_t *file; /* of the intact one */
static size_t file_bytes;

static void die(const struct err *err)
{
    printf("  %s\n", err->text);
    exit(1);
}

static struct db open_db(const char *where)
{
    struct db db = DB_INIT;
    struct err err = {0};
    if (db_open(where, &db, &err) < 0)
        die(&err);
    return db;
}

static void execute(struct db *db, const char *sql)
{
    struct err err = {0};
    if (db_exec(db, sql, &err) < 0)
        FAIL_("%s: %s", sql, err.text);
}

static int64_t count(struct db *db, const char *sql)
{
    struct err err = {0};
    int64_t n = -1;
    if (db_number(db, sql, &n, &err) < 0)
        FAIL_("%s: %s", sql, err.text);
    return n;
}

static void remove_files(const char *path)
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        char name[96];
        snprintf(name, sizeof name, "%s%s", path, parts[i]);
        unlink(name);
    }
}

/* So large that body, tree and rows need pages of their own. */
static void push_large(struct db *db, int64_t time_ns)
{
    static char stacks[STACKS][RANDOM_STACK_MAX];
    static struct made_sample samples[STACKS];
    uint64_t state = random_state(7, (uint64_t)time_ns);
    for (size_t i = 0; i < STACKS; i++) {
        snprintf(stacks[i], sizeof stacks[i], "%016llx", (unsigned long long)random_next(&state));
        samples[i] = (struct made_sample){stacks[i], {(int64_t)random_below(&state, 1 << 30)}};
    }
    struct label labels[2] = {{STR("__name__"), STR("process_cpu")}, {STR("service_name"), STR("large")}};
    cleanup_buf struct buf pprof = make_profile(&(struct made_profile){.types = {{"cpu", "nanoseconds"}},
                                                                       .period = {"cpu", "nanoseconds"},
                                                                       .samples = samples,
                                                                       .n = STACKS,
                                                                       .time_ns = time_ns});
    const struct str bytes = buf_slice(&pprof);
    const struct series series = {labels, 2, &bytes, 1};
    struct ingest_context c = {.db = db};
    struct err err = {0};
    if (ingest_push(&c, &series, 1, &err) < 0)
        die(&err);
}

static void push(struct db *db, uint64_t seed, uint64_t from, uint64_t until)
{
    struct err err = {0};
    for (uint64_t i = from; i < until; i++) {
        if (random_push(db, seed, i, PUSHES, &err) < 0)
            die(&err);
    }
}

static void pack(struct db *db)
{
    struct compaction c = {0};
    struct store_reader r = {.db = db};
    struct err err = {0};
    int code;
    do {
        struct compaction_step step = {0};
        code = compaction_read(&c, &r, 0, &step, &err);
        if (code == 1)
            code = compaction_write(&c, db, &step, &err);
        compaction_step_done(&step);
    } while (code == 1);
    if (code < 0)
        die(&err);
}

/* Many series, so that their tables have several levels, too. */
static void push_zones(struct db *db)
{
    struct err err = {0};
    const struct made_sample sample = {"main", {1}};
    for (int i = 0; i < 120; i++) {
        char zone[96];
        snprintf(zone, sizeof zone, "%080d", i);
        struct label labels[3] = {
            {STR("__name__"), STR("process_cpu")}, {STR("service_name"), STR("zones")}, {STR("zone"), str_of(zone)}};
        cleanup_buf struct buf pprof = make_profile(&(struct made_profile){
            .types = {{"cpu", "nanoseconds"}}, .samples = &sample, .n = 1, .time_ns = RANDOM_BEGIN_MS * 1000000 + i});
        const struct str bytes = buf_slice(&pprof);
        const struct series series = {labels, 3, &bytes, 1};
        struct ingest_context c = {.db = db};
        if (ingest_push(&c, &series, 1, &err) < 0)
            die(&err);
    }
}

static void make_intact(void)
{
    remove_files(intact);
    struct db db = open_db(intact);
    execute(&db, "BEGIN");
    push(&db, 1, 0, PUSHES * 2 / 3);
    push_zones(&db);
    push_large(&db, RANDOM_BEGIN_MS * 1000000);
    execute(&db, "COMMIT");
    pack(&db);
    execute(&db, "BEGIN");
    push(&db, 1, PUSHES * 2 / 3, PUSHES);
    push_large(&db, RANDOM_BEGIN_MS * 1000000 + 1);
    execute(&db, "INSERT INTO setting VALUES('name', 'value', 7)");
    execute(&db, "COMMIT");
    db_close(&db);
    FILE *f = fopen(intact, "re");
    free(file);
    file = xmalloc(16 << 20);
    file_bytes = fread(file, 1, 16 << 20, f);
    fclose(f);
}

static void write_damaged(const uint8_t *page, size_t number, size_t bytes)
{
    const int fd = open(damaged, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK_INT(pwrite(fd, file, bytes, 0), (int64_t)bytes);
    if (page)
        CHECK_INT(pwrite(fd, page, PAGE, (off_t)(number - 1) * PAGE), PAGE);
    close(fd);
}

/* ---- what is missing ---- */

#define SAME_SERIES(a, b) a " = (SELECT id FROM series WHERE labels = (SELECT labels FROM o.series WHERE id = " b "))"
#define SAME_PROFILE                                                                                                   \
    "n.time_ns = p.time_ns AND n.type_index = p.type_index AND n.split = p.split AND n.duration_ns = p.duration_ns"    \
    " AND n.total = p.total AND " SAME_SERIES("n.series", "p.series") " AND (SELECT hash FROM body WHERE id = n.body)" \
                                                                      " = (SELECT hash FROM o.body WHERE id = p.body)"
#define SAME_SLICE                                                                                                     \
    "n.id = l.id AND n.block = l.block AND n.first_ns = l.first_ns AND n.last_ns = l.last_ns AND n.profiles ="         \
    " l.profiles AND n.total = l.total AND n.columns = l.columns AND n.ids = l.ids AND " SAME_SERIES("n.series",       \
                                                                                                     "l.series")
#define SAME_BLOCK                                                                                                     \
    "n.id = b.id AND n.service = b.service AND n.hour = b.hour AND n.first_ns <= b.first_ns AND n.last_ns >= "         \
    "b.last_ns"
static const char missing_profiles[] =
    "SELECT count(*) FROM o.profile p WHERE NOT EXISTS (SELECT 1 FROM profile n WHERE " SAME_PROFILE ")";
static const char missing_packed[] =
    "SELECT coalesce(sum(profiles), 0) FROM o.slice l WHERE NOT EXISTS (SELECT 1 FROM slice n WHERE " SAME_SLICE ")";
static const char missing_slices[] =
    "SELECT count(*) FROM o.slice l WHERE NOT EXISTS (SELECT 1 FROM slice n WHERE " SAME_SLICE ")";
static const char missing_blocks[] =
    "SELECT count(*) FROM o.block b WHERE NOT EXISTS (SELECT 1 FROM block n WHERE n.tree = b.tree AND " SAME_BLOCK ")";
static const char missing_bodies[] =
    "SELECT count(*) FROM o.body b WHERE NOT EXISTS (SELECT 1 FROM body n WHERE n.hash = b.hash AND n.pprof ="
    " b.pprof)";
static const char missing_settings[] =
    "SELECT count(*) FROM o.setting WHERE (name, value, modified_ms) NOT IN (SELECT * FROM setting)";
/* Slices without a block are never deleted. */
static const char stray_slices[] = "SELECT count(*) FROM slice WHERE block NOT IN (SELECT id FROM block)";
static const char other_rows[] =
    "SELECT (SELECT count(*) FROM profile n WHERE NOT EXISTS (SELECT 1 FROM o.profile p WHERE " SAME_PROFILE ")) +"
    " (SELECT count(*) FROM slice n WHERE NOT EXISTS (SELECT 1 FROM o.slice l WHERE " SAME_SLICE ")) +"
    " (SELECT count(*) FROM block WHERE id NOT IN (SELECT id FROM o.block))";

struct losses {
    int64_t profiles, packed, slices, blocks, bodies, settings;
    struct salvage_counts counts;
};

static int salvage_all(struct db *db, struct salvage_counts *ret)
{
    struct err err = {0};
    struct salvage *s;
    int code = salvage_open(damaged, &s, &err);
    if (code < 0)
        die(&err);
    while ((code = salvage_step(s, db, &err)) == 1)
        continue;
    if (code < 0)
        FAIL_("%s", err.text);
    *ret = *salvage_counts(s);
    salvage_close(s);
    return code;
}

static void compare(struct db *db, struct losses *ret)
{
    char attach[128];
    snprintf(attach, sizeof attach, "ATTACH '%s' AS o", intact);
    execute(db, attach);
    ret->profiles = count(db, missing_profiles);
    ret->packed = count(db, missing_packed);
    ret->slices = count(db, missing_slices);
    ret->blocks = count(db, missing_blocks);
    ret->bodies = count(db, missing_bodies);
    ret->settings = count(db, missing_settings);
    CHECK_INT(count(db, other_rows), 0);
    CHECK_INT(count(db, stray_slices), 0);
    execute(db, "DETACH o");
}

static struct losses salvage_damaged(void)
{
    struct losses l = {0};
    struct db db = open_db(":memory:");
    salvage_all(&db, &l.counts);
    compare(&db, &l);
    db_close(&db);
    return l;
}

/* ---- pages ---- */

struct page {
    int64_t number, cells;
    char name[40], type[16];
};

static size_t list_pages(struct page *out, size_t max)
{
    struct db db = open_db(intact);
    sqlite3_stmt *st = NULL;
    size_t n = 0;
    CHECK_INT(sqlite3_prepare_v2(db.handle, "SELECT pageno, ncell, name, pagetype FROM dbstat ORDER BY pageno", -1, &st,
                                 NULL),
              SQLITE_OK);
    while (st && n < max && sqlite3_step(st) == SQLITE_ROW) {
        struct page *p = &out[n++];
        *p = (struct page){.number = sqlite3_column_int64(st, 0), .cells = sqlite3_column_int64(st, 1)};
        snprintf(p->name, sizeof p->name, "%.*s", STR_ARG(db_column(st, 2)));
        snprintf(p->type, sizeof p->type, "%.*s", STR_ARG(db_column(st, 3)));
    }
    sqlite3_finalize(st);
    db_close(&db);
    return n;
}

static bool page_is(const struct page *p, const char *name, const char *type)
{
    return strcmp(p->name, name) == 0 && strcmp(p->type, type) == 0;
}

/* What is on a page is lost, and no more. */
static void check_losses(const struct page *p, const struct losses *l)
{
    const bool profile = strcmp(p->name, "profile") == 0;
    const int64_t slices = page_is(p, "slice", "leaf") ? p->cells : 0;
    const int64_t blocks = page_is(p, "block", "leaf") ? p->cells : page_is(p, "block", "overflow") ? 1 : 0;
    CHECK_INT(l->profiles, profile ? p->cells : 0);
    if (page_is(p, "slice", "overflow"))
        CHECK(l->slices <= 1);
    else
        CHECK_INT(l->slices, slices);
    CHECK_INT(l->blocks, blocks);
    CHECK_INT(l->bodies, page_is(p, "body", "leaf") ? p->cells : page_is(p, "body", "overflow") ? 1 : 0);
    CHECK_INT(l->settings, page_is(p, "setting", "leaf") ? p->cells : 0);
    CHECK_INT((int64_t)l->counts.lost[SALVAGE_PROFILES], l->profiles + l->packed);
    CHECK_INT((int64_t)l->counts.lost[SALVAGE_SERIES], 0);
    CHECK_INT((int64_t)l->counts.lost[SALVAGE_BLOCKS], l->blocks);
}

static void check_page(const struct page *p, const uint8_t *with)
{
    write_damaged(with, (size_t)p->number, file_bytes);
    const struct losses l = salvage_damaged();
    const int before = checks_failed;
    check_losses(p, &l);
    if (checks_failed > before)
        printf("  page %lld: %s, %s\n", (long long)p->number, p->name, p->type);
}

static void each_page(const uint8_t *with)
{
    static struct page pages[4096];
    const size_t listed = list_pages(pages, ARRAY_LEN(pages));
    size_t at = 0;
    CHECK(listed > 50);
    for (size_t i = 1; i <= file_bytes / PAGE && checks_failed < 20; i++) {
        /* Those of the pointer map and those that are free are in no list. */
        const bool known = at < listed && pages[at].number == (int64_t)i;
        check_page(known ? &pages[at] : &(struct page){.number = (int64_t)i}, with);
        at += known;
    }
    CHECK_INT(at, listed);
}

static void an_intact_database_is_copied_as_it_is(void)
{
    write_damaged(NULL, 0, file_bytes);
    const struct losses l = salvage_damaged();
    check_losses(&(struct page){.number = 1}, &l);
    CHECK_INT(l.counts.bare, 0);
    CHECK(l.counts.recovered[SALVAGE_PROFILES] > 300);
    CHECK(l.counts.recovered[SALVAGE_SERIES] > 120);
    CHECK(l.counts.recovered[SALVAGE_BLOCKS] > 3);
}

static void a_page_of_zeroes_takes_along_what_is_on_it(void)
{
    static const uint8_t zeroes[PAGE];
    each_page(zeroes);
}

static void a_page_of_noise_takes_along_what_is_on_it(void)
{
    uint8_t noise[PAGE];
    uint64_t state = random_state(3, 3);
    for (size_t i = 0; i < PAGE; i++)
        noise[i] = (uint8_t)random_next(&state);
    each_page(noise);
}

/* As a torn write leaves them; what their bytes mean then nobody knows. */
static void half_a_page_of_noise_is_read_with_care(void)
{
    uint64_t state = random_state(5, 5);
    for (size_t i = 1; i <= file_bytes / PAGE; i++) {
        uint8_t page[PAGE];
        struct salvage_counts counts;
        memcpy(page, file + (i - 1) * PAGE, PAGE);
        for (size_t k = 0, from = random_below(&state, PAGE); k < PAGE / 2; k++)
            page[(from + k) % PAGE] = (uint8_t)random_next(&state);
        write_damaged(page, i, file_bytes);
        struct db db = open_db(":memory:");
        salvage_all(&db, &counts);
        CHECK_INT(count(&db, stray_slices), 0);
        CHECK(counts.recovered[SALVAGE_PROFILES] > 100);
        db_close(&db);
    }
}

static void a_file_that_was_cut_off_keeps_its_beginning(void)
{
    int64_t kept = 0;
    for (size_t n = 0; n < file_bytes; n += file_bytes / 23 + 77) {
        write_damaged(NULL, 0, n);
        const struct losses l = salvage_damaged();
        CHECK((int64_t)l.counts.recovered[SALVAGE_PROFILES] >= kept);
        kept = (int64_t)l.counts.recovered[SALVAGE_PROFILES];
        CHECK((int64_t)l.counts.lost[SALVAGE_PROFILES] <= l.profiles + l.packed);
    }
    CHECK(kept > 100);
}

/* ---- more than a page ---- */

/* Both the rows of series and their index: what is stored of them cannot be told. */
static void series_whose_labels_are_gone_are_counted(void)
{
    static struct page pages[4096];
    static const uint8_t zeroes[PAGE];
    const size_t n = list_pages(pages, ARRAY_LEN(pages));
    write_damaged(NULL, 0, file_bytes);
    const int fd = open(damaged, O_WRONLY | O_CLOEXEC);
    for (size_t i = 0; i < n; i++) {
        if (page_is(&pages[i], "series", "leaf") || strcmp(pages[i].name, "sqlite_autoindex_series_1") == 0)
            CHECK_INT(pwrite(fd, zeroes, PAGE, (off_t)(pages[i].number - 1) * PAGE), PAGE);
    }
    close(fd);
    const struct losses l = salvage_damaged();
    CHECK_INT(l.counts.recovered[SALVAGE_PROFILES], 0);
    CHECK_INT(l.counts.recovered[SALVAGE_SERIES], 0);
    CHECK(l.counts.lost[SALVAGE_SERIES] > 120);
    CHECK_INT(l.counts.lost[SALVAGE_PROFILES], l.profiles + l.packed);
    CHECK_INT(l.settings, 0);
}

/* All pages above the leaves, the schema and its tables' roots among them. */
static void leaves_are_found_without_what_is_above_them(void)
{
    static struct page pages[4096];
    static const uint8_t zeroes[PAGE];
    const size_t n = list_pages(pages, ARRAY_LEN(pages));
    int64_t profiles = 0, tops = 0;
    write_damaged(NULL, 0, file_bytes);
    const int fd = open(damaged, O_WRONLY | O_CLOEXEC);
    for (size_t i = 0; i < n; i++) {
        if (pages[i].number > 1 && strcmp(pages[i].type, "internal") != 0)
            continue;
        CHECK_INT(pwrite(fd, zeroes, PAGE, (off_t)(pages[i].number - 1) * PAGE), PAGE);
        profiles += strcmp(pages[i].name, "profile") == 0 ? pages[i].cells : 0;
        tops++;
    }
    close(fd);
    const struct losses l = salvage_damaged();
    CHECK(tops > 6);
    CHECK_INT(l.profiles, profiles);
    CHECK_INT(l.slices + l.blocks + l.bodies + l.settings, 0);
}

static void copy_file(const char *from, const char *to)
{
    cleanup_free uint8_t *bytes = xmalloc(16 << 20);
    FILE *in = fopen(from, "re"), *out = fopen(to, "we");
    const size_t n = in ? fread(bytes, 1, 16 << 20, in) : 0;
    CHECK(out && n && fwrite(bytes, 1, n, out) == n);
    if (in)
        fclose(in);
    if (out)
        fclose(out);
}

/* Of an agent that was killed: the newest pages are in the log alone. */
static void the_log_is_read_as_far_as_it_is_intact(void)
{
    char log[96], copy[96];
    write_damaged(NULL, 0, file_bytes);
    snprintf(log, sizeof log, "%s-wal", intact);
    snprintf(copy, sizeof copy, "%s-wal", damaged);
    struct db db = open_db(intact);
    push_large(&db, RANDOM_BEGIN_MS * 1000000 + 2);
    copy_file(log, copy);
    struct losses l = salvage_damaged();
    CHECK_INT(l.profiles + l.slices + l.blocks + l.bodies, 0);
    CHECK_INT(count(&db, "SELECT count(*) FROM profile"),
              l.counts.recovered[SALVAGE_PROFILES] - count(&db, "SELECT sum(profiles) FROM slice"));
    /* The last frame: its transaction is not there then. */
    struct stat st;
    CHECK_INT(stat(copy, &st), 0);
    CHECK_INT(truncate(copy, st.st_size - 7), 0);
    l = salvage_damaged();
    CHECK_INT(l.profiles, 1);
    CHECK_INT(l.bodies, 0);
    unlink(copy);
    db_close(&db);
    make_intact();
}

static void a_database_of_schema_1_is_copied(void)
{
    struct salvage_counts counts;
    remove_files(damaged);
    copy_file(intact, damaged);
    struct db db = open_db(damaged);
    execute(&db, "DROP TABLE block; DROP TABLE slice; DROP TABLE setting; PRAGMA user_version = 1");
    const int64_t rows = count(&db, "SELECT count(*) FROM profile");
    db_close(&db);
    db = open_db(":memory:");
    salvage_all(&db, &counts);
    CHECK_INT(counts.recovered[SALVAGE_PROFILES], rows);
    CHECK_INT(counts.lost[SALVAGE_PROFILES], 0);
    CHECK_INT(counts.lost[SALVAGE_BLOCKS], 0);
    CHECK_INT(count(&db, "SELECT count(*) FROM profile"), rows);
    db_close(&db);
}

/* ---- again, beside pushes, and without room ---- */

static void check_all_is_there(struct db *db, const struct salvage_counts *counts)
{
    struct losses l = {.counts = *counts};
    compare(db, &l);
    check_losses(&(struct page){.number = 1}, &l);
}

static void done_again_it_adds_nothing(void)
{
    struct salvage_counts counts;
    write_damaged(NULL, 0, file_bytes);
    struct db db = open_db(":memory:");
    salvage_all(&db, &counts);
    salvage_all(&db, &counts);
    check_all_is_there(&db, &counts);
    db_close(&db);
}

static void what_is_pushed_again_meanwhile_is_there_once(void)
{
    struct salvage_counts counts;
    write_damaged(NULL, 0, file_bytes);
    struct db db = open_db(":memory:");
    push(&db, 1, 0, PUSHES);
    push_zones(&db);
    CHECK(count(&db, "SELECT count(*) FROM profile") > 400);
    salvage_all(&db, &counts);
    check_all_is_there(&db, &counts);
    push(&db, 1, 0, PUSHES);
    CHECK_INT(count(&db, "SELECT count(*) FROM body WHERE id NOT IN (SELECT body FROM profile)"), 0);
    check_all_is_there(&db, &counts);
    db_close(&db);
}

static void without_room_it_begins_anew(void)
{
    struct err err = {0};
    struct salvage *s;
    write_damaged(NULL, 0, file_bytes);
    struct db db = open_db(":memory:");
    CHECK_INT(salvage_open(damaged, &s, &err), 0);
    for (int pages = 30; pages < 120; pages += 10) {
        char limit[64];
        int code;
        snprintf(limit, sizeof limit, "PRAGMA max_page_count = %d", pages);
        execute(&db, limit);
        while ((code = salvage_step(s, &db, &err)) == 1)
            continue;
        if (pages == 30)
            CHECK_INT(code, -ENOSPC);
        if (code == 0)
            break;
    }
    const struct salvage_counts counts = *salvage_counts(s);
    salvage_close(s);
    check_all_is_there(&db, &counts);
    db_close(&db);
}

/* Killed at any time, done again until it is finished. */
static void a_salvage_that_is_killed_can_be_done_again(void)
{
    char target[96];
    snprintf(target, sizeof target, "%s-new", intact);
    write_damaged(NULL, 0, file_bytes);
    uint64_t state = random_state(9, 9);
    for (int round = 0; round < 12; round++) {
        remove_files(target);
        for (int kills = 0; kills < 3; kills++) {
            const pid_t child = fork();
            if (child == 0) {
                struct salvage_counts counts;
                struct db db = open_db(target);
                salvage_all(&db, &counts);
                pause();
                _exit(0);
            }
            const struct timespec wait = {.tv_nsec = (long)random_below(&state, 60) * 1000000};
            nanosleep(&wait, NULL);
            kill(child, SIGKILL);
            waitpid(child, NULL, 0);
        }
        struct salvage_counts counts;
        struct db db = open_db(target);
        salvage_all(&db, &counts);
        check_all_is_there(&db, &counts);
        db_close(&db);
    }
    remove_files(target);
}

static void what_is_no_file_is_an_error(void)
{
    struct err err = {0};
    struct salvage *s = NULL;
    CHECK_INT(salvage_open("/tmp/smolder-test-salvage-none", &s, &err), -ENOENT);
    CHECK_HAS(err.text, "smolder-test-salvage-none");
    CHECK(!s);
}

int main(void)
{
    snprintf(intact, sizeof intact, "/tmp/smolder-test-salvage-%d", (int)getpid());
    snprintf(damaged, sizeof damaged, "%s-damaged", intact);
    make_intact();
    RUN(an_intact_database_is_copied_as_it_is);
    RUN(a_page_of_zeroes_takes_along_what_is_on_it);
    RUN(a_page_of_noise_takes_along_what_is_on_it);
    RUN(half_a_page_of_noise_is_read_with_care);
    RUN(a_file_that_was_cut_off_keeps_its_beginning);
    RUN(series_whose_labels_are_gone_are_counted);
    RUN(leaves_are_found_without_what_is_above_them);
    RUN(the_log_is_read_as_far_as_it_is_intact);
    RUN(a_database_of_schema_1_is_copied);
    RUN(done_again_it_adds_nothing);
    RUN(what_is_pushed_again_meanwhile_is_there_once);
    RUN(without_room_it_begins_anew);
    RUN(a_salvage_that_is_killed_can_be_done_again);
    RUN(what_is_no_file_is_an_error);
    remove_files(intact);
    remove_files(damaged);
    free(file);
    return REPORT();
}
