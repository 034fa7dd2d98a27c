#include "store/salvage.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "store/block_blob.h"
#include "store/entries.h"
#include "store/ingest.h"
#include "store/labels_key.h"
#include "store/page_walk.h"
#include "store/slices.h"

enum { ROOT_OF_SCHEMA = 1, TREES_MAX = 16 };
static const int64_t step_ns = 20 * NS_PER_MS, profiles_max = 1 << 24 /* of one slice */;

const char *const salvage_part_names[SALVAGE_PARTS] = {
    [SALVAGE_PROFILES] = "profile", [SALVAGE_SERIES] = "series", [SALVAGE_BLOCKS] = "block"};

/* Where a block went. */
enum block_state { BLOCK_WHOLE, BLOCK_BARE /* without its tree */ };

struct salvage {
    struct page_file file;
    uint8_t *owners; /* of pages (store/page_walk.h) */
    struct page_walk walk;
    size_t tree;  /* at hand, in `trees` */
    bool walking; /* walk is that of the tree */
    bool damaged; /* the last table was */
    uint32_t roots[TREES_MAX];
    struct u64map series, bodies; /* numbers there to numbers here */
    struct u64map times;          /* of bodies that were stored here before, by their number here */
    struct u64map bare_bodies;    /* numbers here */
    struct u64map hashes;         /* of bodies whose row is lost: indices of `hash` */
    struct u64map blocks;         /* enum block_state */
    struct u64map lost_series, lost_blocks;
    uint8_t (*hash)[SLICE_ID_SIZE];
    size_t hash_cap;
    uint64_t rows_seen, rows_listed; /* of the journal: profiles in the table and in an index */
    uint64_t packed_seen, packed_listed;
    struct salvage_counts counts;
};

static bool salvage_is_number(const struct page_row *row, size_t from, size_t n)
{
    for (size_t i = from; i < from + n; i++) {
        if (row->columns[i].kind != PAGE_NUMBER)
            return false;
    }
    return true;
}

static uint64_t salvage_profiles(const struct page_column *c)
{
    return c->number > 0 && c->number <= profiles_max ? (uint64_t)c->number : 0;
}

/* ---- series ---- */

static int salvage_add_series(struct salvage *s, struct db *db, int64_t id, struct str key, struct err *err)
{
    struct label_list labels;
    int64_t here = 0;
    if (u64map_get(&s->series, (uint64_t)id, &(uint64_t){0}))
        return 0;
    labels_key_expand(key, &labels);
    const struct str type = label_list_get(&labels, STR("__profile_type__"));
    if (type.n == 0)
        return 0;
    const int code = entry_series(db, &labels, key, type, &here, err);
    if (code < 0)
        return code;
    u64map_put(&s->series, (uint64_t)id, (uint64_t)here);
    s->counts.recovered[SALVAGE_SERIES]++;
    return 0;
}

static int salvage_series(struct salvage *s, struct db *db, const struct page_row *row, struct err *err)
{
    if (row->n != 4 || row->columns[1].kind != PAGE_BLOB || row->columns[2].kind != PAGE_TEXT || !row->complete)
        return 0;
    return salvage_add_series(s, db, row->rowid, row->columns[1].bytes, err);
}

static int salvage_series_key(struct salvage *s, struct db *db, const struct page_row *row, struct err *err)
{
    if (row->n != 2 || row->columns[0].kind != PAGE_BLOB || !salvage_is_number(row, 1, 1) || !row->complete)
        return 0;
    return salvage_add_series(s, db, row->columns[1].number, row->columns[0].bytes, err);
}

static bool salvage_series_of(struct salvage *s, int64_t id, int64_t *ret)
{
    uint64_t here;
    bool added = false;
    if (u64map_get(&s->series, (uint64_t)id, &here)) {
        *ret = (int64_t)here;
        return true;
    }
    (void)u64map_add(&s->lost_series, (uint64_t)id, 1, &added);
    s->counts.lost[SALVAGE_SERIES] += added;
    return false;
}

static int salvage_setting(struct salvage *s, struct db *db, const struct page_row *row, struct err *err)
{
    (void)s;
    if (row->n != 3 || row->columns[0].kind != PAGE_TEXT || row->columns[1].kind != PAGE_TEXT ||
        !salvage_is_number(row, 2, 1) || !row->complete)
        return 0;
    sqlite3_stmt *st = db_statement(db, DB_SETTING_RESTORE, err);
    if (!st)
        return err->code;
    db_bind_text(st, 1, row->columns[0].bytes);
    db_bind_text(st, 2, row->columns[1].bytes);
    db_bind(st, 3, row->columns[2].number);
    return db_step(db, st, err);
}

/* ---- the journal ---- */

/* Body `id` there; `pprof` is "" where it is lost. */
static int salvage_add_body(struct salvage *s, struct db *db, int64_t id, struct str hash, int64_t time_ns,
                            struct str pprof, struct err *err)
{
    struct entry_body known;
    int64_t here = 0;
    int code = entry_find_body(db, hash, &known, err);
    if (code == 1) {
        here = known.id;
        u64map_put(&s->times, (uint64_t)here, (uint64_t)known.time_ns);
    } else if (code == 0) {
        code = entry_add_body(db, hash, time_ns, pprof, &here, err);
    }
    if (code < 0)
        return code;
    u64map_put(&s->bodies, (uint64_t)id, (uint64_t)here);
    if (pprof.n == 0)
        u64map_put(&s->bare_bodies, (uint64_t)here, 1);
    return 0;
}

static int salvage_body(struct salvage *s, struct db *db, const struct page_row *row, struct err *err)
{
    const struct page_column *c = row->columns;
    if (row->n != 4 || c[1].kind != PAGE_BLOB || c[1].bytes.n != SLICE_ID_SIZE || c[2].kind != PAGE_NUMBER ||
        c[3].kind != PAGE_BLOB)
        return 0;
    return salvage_add_body(s, db, row->rowid, c[1].bytes, c[2].number, row->complete ? c[3].bytes : STR(""), err);
}

/* Of a body without a row: its profiles have times and totals of their own. */
static int salvage_body_key(struct salvage *s, struct db *db, const struct page_row *row, struct err *err)
{
    (void)db;
    (void)err;
    if (row->n != 2 || row->columns[0].kind != PAGE_BLOB || row->columns[0].bytes.n != SLICE_ID_SIZE ||
        !salvage_is_number(row, 1, 1) || u64map_get(&s->bodies, (uint64_t)row->columns[1].number, &(uint64_t){0}))
        return 0;
    bool added;
    const size_t n = s->hashes.len;
    (void)u64map_add(&s->hashes, (uint64_t)row->columns[1].number, n, &added);
    if (added) {
        xgrow(&s->hash, &s->hash_cap, n + 1, sizeof *s->hash);
        memcpy(s->hash[n], row->columns[0].bytes.p, SLICE_ID_SIZE);
    }
    return 0;
}

/* 1: there is one now. */
static int salvage_body_of(struct salvage *s, struct db *db, int64_t id, int64_t time_ns, int64_t *ret, struct err *err)
{
    uint64_t here, hash;
    if (!u64map_get(&s->bodies, (uint64_t)id, &here)) {
        if (!u64map_get(&s->hashes, (uint64_t)id, &hash))
            return 0;
        const struct str key = {(const char *)s->hash[hash], SLICE_ID_SIZE};
        const int code = salvage_add_body(s, db, id, key, time_ns, STR(""), err);
        if (code < 0)
            return code;
        (void)u64map_get(&s->bodies, (uint64_t)id, &here);
    }
    *ret = (int64_t)here;
    return 1;
}

static int salvage_profile(struct salvage *s, struct db *db, const struct page_row *row, struct err *err)
{
    const struct page_column *c = row->columns;
    int64_t series, body = 0;
    uint64_t time_ns;
    if (row->n != 7 || !salvage_is_number(row, 0, 7))
        return 0;
    s->rows_seen++;
    const int found =
        salvage_series_of(s, c[0].number, &series) ? salvage_body_of(s, db, c[2].number, c[1].number, &body, err) : 0;
    if (found <= 0) {
        s->counts.lost[SALVAGE_PROFILES]++;
        return found;
    }
    if (!u64map_get(&s->times, (uint64_t)body, &time_ns))
        time_ns = (uint64_t)c[1].number;
    sqlite3_stmt *st = db_statement(db, DB_PROFILE_ADD, err);
    if (!st)
        return err->code;
    db_bind(st, 1, series);
    db_bind(st, 2, (int64_t)time_ns);
    db_bind(st, 3, body);
    for (size_t i = 3; i < 7; i++)
        db_bind(st, (int)i + 1, c[i].number);
    s->counts.recovered[SALVAGE_PROFILES]++;
    s->counts.bare += u64map_get(&s->bare_bodies, (uint64_t)body, &(uint64_t){0});
    return db_step(db, st, err);
}

static int salvage_list_profile(struct salvage *s, struct db *db, const struct page_row *row, struct err *err)
{
    (void)db;
    (void)err;
    s->rows_listed += row->n == 5 && salvage_is_number(row, 0, 5);
    return 0;
}

/* ---- blocks ---- */

static int salvage_block(struct salvage *s, struct db *db, const struct page_row *row, struct err *err)
{
    const struct page_column *c = row->columns;
    if (row->n != 11 || c[1].kind != PAGE_TEXT || !salvage_is_number(row, 2, 8) || c[10].kind != PAGE_BLOB)
        return 0;
    const bool whole = row->complete && block_blob_intact(BLOCK_TREE, c[10].bytes);
    u64map_put(&s->blocks, (uint64_t)row->rowid, whole ? BLOCK_WHOLE : BLOCK_BARE);
    (*(whole ? &s->counts.recovered : &s->counts.lost))[SALVAGE_BLOCKS]++;
    sqlite3_stmt *st = db_statement(db, DB_BLOCK_RESTORE, err);
    if (!st)
        return err->code;
    db_bind(st, 1, row->rowid);
    db_bind_text(st, 2, c[1].bytes);
    db_bind(st, 3, c[2].number);
    db_bind(st, 4, whole ? c[3].number : 1);
    db_bind(st, 5, whole ? c[4].number : 1);
    for (int i = 5; i < 10; i++)
        db_bind(st, i + 1, c[i].number);
    db_bind_blob(st, 11, whole ? c[10].bytes : STR(""));
    return db_step(db, st, err);
}

/* A block for slices whose own is lost: retention deletes slices by their blocks. */
static int salvage_stand_in(struct salvage *s, struct db *db, const struct slice_new *slice, int64_t first_ns,
                            int64_t last_ns, struct err *err)
{
    bool added = false;
    (void)u64map_add(&s->lost_blocks, (uint64_t)slice->block, 1, &added);
    s->counts.lost[SALVAGE_BLOCKS] += added;
    sqlite3_stmt *st = db_statement(db, DB_BLOCK_STAND_IN, err);
    if (!st)
        return err->code;
    db_bind(st, 1, slice->block);
    db_bind(st, 2, slice->series);
    db_bind(st, 3, first_ns / STORE_HOUR_NS);
    db_bind(st, 4, (int64_t)slice->columns.n);
    db_bind(st, 5, first_ns);
    db_bind(st, 6, last_ns);
    return db_step(db, st, err);
}

/* A profile of the journal that a slice has as well. */
struct salvage_twin {
    int64_t body, type, split, time_ns;
};

static bool salvage_slice_has(const struct slice_new *slice, struct str hash)
{
    for (size_t i = 0; hash.n == SLICE_ID_SIZE && i < slice->columns.n; i++) {
        if (memcmp(slice->ids + i * SLICE_ID_SIZE, hash.p, SLICE_ID_SIZE) == 0)
            return true;
    }
    return false;
}

static int salvage_delete_twin(struct db *db, int64_t series, const struct salvage_twin *twin, struct err *err)
{
    const int64_t key[] = {series, twin->time_ns, twin->body, twin->type, twin->split};
    sqlite3_stmt *st = db_statement(db, DB_PROFILE_DELETE, err);
    if (!st)
        return err->code;
    for (size_t i = 0; i < ARRAY_LEN(key); i++)
        db_bind(st, (int)i + 1, key[i]);
    const int code = db_step(db, st, err);
    if (code < 0 || !(st = db_statement(db, DB_BODY_DELETE, err)))
        return err->code;
    db_bind(st, 1, twin->body);
    return db_step(db, st, err);
}

/* What was pushed again meanwhile; those without a time have another one since (store/ingest.h). */
static int salvage_delete_twins(struct db *db, const struct slice_new *slice, int64_t first_ns, int64_t last_ns,
                                struct err *err)
{
    cleanup_free struct salvage_twin *twins = NULL;
    size_t n = 0, cap = 0;
    sqlite3_stmt *st = db_statement(db, DB_SELECT_PROFILES, err);
    int code;
    if (!st)
        return err->code;
    db_bind(st, 1, slice->series);
    db_bind(st, 2, first_ns);
    db_bind(st, 3, last_ns + INGEST_TIMELESS_NS);
    while ((code = db_step(db, st, err)) == 1) {
        if (!salvage_slice_has(slice, db_column(st, 5)))
            continue;
        xgrow(&twins, &cap, n + 1, sizeof *twins);
        twins[n++] = (struct salvage_twin){sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1),
                                           sqlite3_column_int64(st, 2), sqlite3_column_int64(st, 3)};
    }
    for (size_t i = 0; code == 0 && i < n; i++)
        code = salvage_delete_twin(db, slice->series, &twins[i], err);
    return code;
}

static int salvage_add_slice(struct salvage *s, struct db *db, const struct slice_new *slice, int64_t first_ns,
                             int64_t last_ns, struct err *err)
{
    uint64_t block = BLOCK_BARE;
    int code = 0;
    if (!u64map_get(&s->blocks, (uint64_t)slice->block, &block))
        code = salvage_stand_in(s, db, slice, first_ns, last_ns, err);
    if (code == 0)
        code = salvage_delete_twins(db, slice, first_ns, last_ns, err);
    if (code == 0)
        code = slice_add(db, slice, err);
    if (code < 0)
        return code;
    const bool whole = block == BLOCK_WHOLE && block_blob_intact(BLOCK_ROWS, slice->rows) &&
                       (slice->sum.n == 0 || block_blob_intact(BLOCK_SUM, slice->sum));
    s->counts.recovered[SALVAGE_PROFILES] += slice->columns.n;
    s->counts.bare += whole ? 0 : slice->columns.n;
    return 0;
}

static int salvage_slice(struct salvage *s, struct db *db, const struct page_row *row, struct err *err)
{
    const struct page_column *c = row->columns;
    if (row->n != 11 || !salvage_is_number(row, 1, 6) || c[7].kind != PAGE_BLOB || c[8].kind != PAGE_BLOB)
        return 0;
    const uint64_t n = salvage_profiles(&c[5]);
    cleanup_slice_profiles struct slice_profiles p = {0};
    struct slice_new slice = {.id = row->rowid, .block = c[2].number, .sum = c[9].bytes, .rows = c[10].bytes};
    s->packed_seen += n;
    if (!salvage_series_of(s, c[1].number, &slice.series) || n == 0 ||
        !slice_parse(c[7].bytes, c[8].bytes, (size_t)n, &p)) {
        s->counts.lost[SALVAGE_PROFILES] += n;
        return 0;
    }
    slice.columns = p.columns;
    slice.ids = p.ids;
    return salvage_add_slice(s, db, &slice, c[3].number, c[4].number, err);
}

static int salvage_list_slice(struct salvage *s, struct db *db, const struct page_row *row, struct err *err)
{
    (void)db;
    (void)err;
    if (row->n == 7 && salvage_is_number(row, 0, 7))
        s->packed_listed += salvage_profiles(&row->columns[3]);
    return 0;
}

/* ---- all of it ---- */

static int salvage_schema(struct salvage *s, struct db *db, const struct page_row *row, struct err *err);

/* In this order: what others refer to comes before them. */
static const struct salvage_tree {
    const char *name;
    bool index;
    bool second; /* says what the table before had, where that is damaged */
    int (*row)(struct salvage *s, struct db *db, const struct page_row *row, struct err *err);
} trees[] = {
    {"sqlite_schema", false, false, salvage_schema},
    {"series", false, false, salvage_series},
    {"sqlite_autoindex_series_1", true, true, salvage_series_key},
    {"setting", true, false, salvage_setting},
    {"body", false, false, salvage_body},
    {"sqlite_autoindex_body_1", true, true, salvage_body_key},
    {"profile", true, false, salvage_profile},
    {"profile_body", true, true, salvage_list_profile},
    {"block", false, false, salvage_block},
    {"slice", false, false, salvage_slice},
    {"slice_series", true, true, salvage_list_slice},
};
_Static_assert(ARRAY_LEN(trees) <= TREES_MAX, "roots");

static int salvage_schema(struct salvage *s, struct db *db, const struct page_row *row, struct err *err)
{
    (void)db;
    (void)err;
    const struct page_column *c = row->columns;
    if (row->n != 5 || c[1].kind != PAGE_TEXT || !salvage_is_number(row, 3, 1))
        return 0;
    for (size_t i = 1; i < ARRAY_LEN(trees); i++) {
        uint32_t parent;
        if (str_eq(c[1].bytes, str_of(trees[i].name)) && c[3].number > 1 && c[3].number <= s->file.count &&
            page_file_use(&s->file, (uint32_t)c[3].number, &parent) <= PAGE_ROOT)
            s->roots[i] = (uint32_t)c[3].number;
    }
    return 0;
}

/* Where the schema is lost: with auto_vacuum, the tables of a database are in the order in which they were created,
 * before everything else, and so they are here. */
static int salvage_default_root(struct db *db, const char *name, uint32_t *ret, struct err *err)
{
    sqlite3_stmt *st = db_statement(db, DB_ROOT_OF, err);
    if (!st)
        return err->code;
    db_bind_text(st, 1, str_of(name));
    const int code = db_step(db, st, err);
    if (code == 1) {
        *ret = (uint32_t)sqlite3_column_int64(st, 0);
        sqlite3_reset(st);
    }
    return code < 0 ? code : 0;
}

/* From the beginning. */
static void salvage_reset(struct salvage *s)
{
    struct u64map *const maps[] = {&s->series, &s->bodies, &s->times,       &s->bare_bodies,
                                   &s->hashes, &s->blocks, &s->lost_series, &s->lost_blocks};
    for (size_t i = 0; i < ARRAY_LEN(maps); i++) {
        u64map_done(maps[i]);
        *maps[i] = U64MAP_INIT;
    }
    if (s->walking)
        page_walk_done(&s->walk);
    free(s->hash);
    free(s->owners);
    *s = (struct salvage){.file = s->file, .roots = {ROOT_OF_SCHEMA}};
    s->owners = xcalloc((size_t)s->file.count + 1, 1);
}

static int salvage_begin_tree(struct salvage *s, struct db *db, struct err *err)
{
    const struct salvage_tree *t = &trees[s->tree];
    if (t->second && !s->damaged) {
        s->tree++;
        return 0;
    }
    const int code = s->roots[s->tree] ? 0 : salvage_default_root(db, t->name, &s->roots[s->tree], err);
    if (code < 0)
        return code;
    page_walk_begin(&s->walk, &s->file, s->owners, (uint8_t)(s->tree + 1), s->roots[s->tree], t->index);
    s->walking = true;
    return 0;
}

static int salvage_next(struct salvage *s, struct db *db, struct err *err)
{
    struct page_row row;
    if (!s->walking)
        return salvage_begin_tree(s, db, err);
    if (page_walk_next(&s->walk, &row))
        return trees[s->tree].row(s, db, &row, err);
    s->damaged = s->walk.damaged;
    page_walk_done(&s->walk);
    s->walking = false;
    s->tree++;
    return 0;
}

static void salvage_count_listed(struct salvage *s)
{
    if (s->rows_listed > s->rows_seen)
        s->counts.lost[SALVAGE_PROFILES] += s->rows_listed - s->rows_seen;
    if (s->packed_listed > s->packed_seen)
        s->counts.lost[SALVAGE_PROFILES] += s->packed_listed - s->packed_seen;
}

int salvage_step(struct salvage *s, struct db *db, struct err *err)
{
    const int64_t until = clock_ns() + step_ns;
    int code = db_exec(db, "BEGIN IMMEDIATE", err);
    if (code < 0)
        return code;
    do {
        code = salvage_next(s, db, err);
    } while (code == 0 && s->tree < ARRAY_LEN(trees) && clock_ns() < until);
    if (code == 0)
        code = db_exec(db, "COMMIT", err);
    if (code < 0) {
        db_undo(db, "ROLLBACK");
        salvage_reset(s);
        return code;
    }
    if (s->tree < ARRAY_LEN(trees))
        return 1;
    salvage_count_listed(s);
    return 0;
}

int salvage_open(const char *path, struct salvage **ret, struct err *err)
{
    struct salvage *s = xcalloc(1, sizeof *s);
    const int code = page_file_open(path, &s->file, err);
    if (code < 0) {
        free(s);
        return code;
    }
    salvage_reset(s);
    *ret = s;
    return 0;
}

void salvage_close(struct salvage *s)
{
    if (!s)
        return;
    salvage_reset(s);
    free(s->owners);
    page_file_done(&s->file);
    free(s);
}

const struct salvage_counts *salvage_counts(const struct salvage *s)
{
    return &s->counts;
}
