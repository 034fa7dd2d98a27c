/* On a real directory, with a clock of its own. */
#include "components/pyroscope_file_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/gzip.h"
#include "components/pyroscope_file_name.h"
#include "jfr/chunk_builder.h"
#include "test.h"

#define SECOND NS_PER_SEC
static const int64_t NOW = INT64_C(1796067000) * NS_PER_SEC;
static char dir[64];

static void directory_begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/smolder-test-XXXXXX");
    if (!mkdtemp(dir))
        abort();
}

static const char *in_dir(const char *name)
{
    static char path[sizeof dir + FILE_NAME_BYTES];
    snprintf(path, sizeof path, "%s/%.255s", dir, name);
    return path;
}

static void directory_end(void)
{
    cleanup_closedir DIR *d = opendir(dir);
    for (const struct dirent *e; d && (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.')
            unlink(in_dir(e->d_name));
    CHECK_INT(rmdir(dir), 0);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The names and sizes in the directory, in order. */
static const char *listing(void)
{
    static char text[8192];
    static char names[64][FILE_NAME_BYTES];
    size_t n = 0, at = 0;
    cleanup_closedir DIR *d = opendir(dir);
    for (const struct dirent *e; d && n < 64 && (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.')
            snprintf(names[n++], sizeof names[0], "%s", e->d_name);
    qsort(names, n, sizeof names[0], by_name);
    text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        struct stat st = {0};
        stat(in_dir(names[i]), &st);
        at += (size_t)snprintf(text + at, sizeof text - at, "%s %ld\n", names[i], (long)st.st_size);
    }
    return text;
}

static void put_file(const char *name, const void *bytes, size_t n, int64_t age_s)
{
    FILE *f = fopen(in_dir(name), "w");
    if (!f || fwrite(bytes, 1, n, f) != n)
        abort();
    fclose(f);
    const struct timespec times[2] = {{.tv_sec = NOW / SECOND - age_s}, {.tv_sec = NOW / SECOND - age_s}};
    CHECK_INT(utimensat(AT_FDCWD, in_dir(name), times, 0), 0);
}

static struct file_store *opened(uint64_t rotate, uint64_t most, size_t files)
{
    struct err err = {0};
    struct file_store *s = NULL;
    CHECK_INT(file_store_open(dir, &s, &err), 0);
    CHECK_STR(err.text, "");
    file_store_set_limits(s, &(struct file_limits){.max_bytes = most,
                                                   .rotate_bytes = rotate,
                                                   .max_files = files,
                                                   .max_age_ns = 3600 * SECOND,
                                                   .rotate_ns = 60 * SECOND});
    return s;
}

static void append(struct file_store *s, const char *base, size_t n, int64_t after_s)
{
    static const char bytes[1 << 20];
    struct err err = {0};
    CHECK_INT(file_store_append(s, base, (struct str){bytes, n}, NOW + after_s * SECOND, &err), 0);
    CHECK_STR(err.text, "");
}

static void put(struct file_store *s, const char *type, const char *bytes, int64_t after_s)
{
    struct err err = {0};
    CHECK_INT(file_store_put(s, "shop-00000000", str_of(type), str_of(bytes), NOW + after_s * SECOND, &err), 0);
    CHECK_STR(err.text, "");
}

static void chunks_are_appended_until_it_is_time_or_the_file_is_large(void)
{
    directory_begin();
    struct file_store *s = opened(1000, 1 << 20, 100);
    append(s, "shop-00000000", 300, 0);
    append(s, "shop-00000000", 300, 1);
    append(s, "bank-00000000", 10, 1);
    CHECK_STR(listing(), "bank-00000000-20261130T193001Z.jfr.part 10\n"
                         "shop-00000000-20261130T193000Z.jfr.part 600\n");
    append(s, "shop-00000000", 500, 2); /* too large together */
    CHECK_HAS(listing(), "shop-00000000-20261130T193000Z.jfr 600\nshop-00000000-20261130T193002Z.jfr.part 500\n");
    append(s, "shop-00000000", 5000, 3); /* larger than a file may be: by itself */
    append(s, "shop-00000000", 1, 3);
    CHECK_HAS(listing(), "shop-00000000-20261130T193003Z.2.jfr.part 1\nshop-00000000-20261130T193003Z.jfr 5000\n");
    file_store_tidy(s, NOW + 61 * SECOND);
    CHECK_HAS(listing(), "bank-00000000-20261130T193001Z.jfr 10\n");
    append(s, "shop-00000000", 2, 64);
    append(s, "shop-00000000", 3, 30); /* a clock that was set back */
    CHECK_HAS(listing(), "T193104Z.jfr 2\n");
    CHECK_HAS(listing(), "T193030Z.jfr.part 3\n");
    file_store_close(s);
    CHECK(!strstr(listing(), ".part"));
    directory_end();
}

static void a_profile_is_a_file_of_its_own_and_compressed(void)
{
    directory_begin();
    struct file_store *s = opened(1000, 1 << 20, 100);
    put(s, "process_cpu", "plain text", 0);
    put(s, "memory", "\x1f\x8b packed", 0);
    put(s, "memory", "\x1f\x8b packed again", 0);
    put(s, "../x", "\x1f\x8b", 0);
    CHECK_HAS(listing(), "T193000Z.memory.2.pb.gz 15\n");
    CHECK_HAS(listing(), "T193000Z.memory.pb.gz 9\n");
    CHECK_HAS(listing(), "T193000Z.___x.pb.gz ");
    cleanup_buf struct buf plain = BUF_INIT(1000);
    uint8_t packed[200];
    FILE *f = fopen(in_dir("shop-00000000-20261130T193000Z.process_cpu.pb.gz"), "r");
    const size_t n = f ? fread(packed, 1, sizeof packed, f) : 0;
    if (f)
        fclose(f);
    CHECK_INT(gzip_inflate((struct str){(char *)packed, n}, &plain, NULL), 0);
    CHECK_STR(buf_cstr(&plain), "plain text");
    struct stat st;
    CHECK_INT(stat(in_dir("shop-00000000-20261130T193000Z.memory.pb.gz"), &st), 0);
    CHECK_INT(st.st_mode & 07, 0);
    file_store_close(s);
    directory_end();
}

static void the_oldest_files_go_when_there_are_too_many_bytes(void)
{
    struct file_store_view v;
    directory_begin();
    struct file_store *s = opened(8192, 4 * 4096, 100);
    for (int i = 0; i < 4; i++)
        put(s, "block", "\x1f\x8b.", i);
    file_store_view(s, &v);
    CHECK_INT(v.files, 4);
    CHECK_INT(v.bytes, 4 * 4096);
    append(s, "shop-00000000", 5000, 5); /* two blocks */
    CHECK_STR(listing(), "shop-00000000-20261130T193002Z.block.pb.gz 3\nshop-00000000-20261130T193003Z.block.pb.gz 3\n"
                         "shop-00000000-20261130T193005Z.jfr.part 5000\n");
    append(s, "shop-00000000", 3000, 6); /* within its blocks */
    file_store_view(s, &v);
    CHECK_INT(v.files, 3);
    CHECK_INT(v.writing, 1);
    CHECK_INT(v.removed, 2);
    append(s, "bank-00000000", 8000, 7);
    CHECK_STR(listing(), "bank-00000000-20261130T193007Z.jfr.part 8000\n"
                         "shop-00000000-20261130T193005Z.jfr.part 8000\n");
    append(s, "inn-00000000", 1, 8); /* of two that are being written the older one */
    CHECK_STR(listing(), "bank-00000000-20261130T193007Z.jfr.part 8000\ninn-00000000-20261130T193008Z.jfr.part 1\n");
    struct err err = {0};
    CHECK_INT(file_store_append(s, "inn-00000000", (struct str){"", 5 * 4096}, NOW, &err), -EFBIG);
    CHECK_HAS(err.text, "more than max_size");
    file_store_close(s);
    directory_end();
}

static void the_oldest_files_go_when_there_are_too_many_or_too_old(void)
{
    directory_begin();
    struct file_store *s = opened(8192, 1 << 20, 3);
    for (int i = 0; i < 5; i++)
        put(s, "block", "\x1f\x8b.", i);
    CHECK_STR(listing(), "shop-00000000-20261130T193002Z.block.pb.gz 3\nshop-00000000-20261130T193003Z.block.pb.gz 3\n"
                         "shop-00000000-20261130T193004Z.block.pb.gz 3\n");
    file_store_tidy(s, NOW + 3603 * SECOND);
    CHECK_STR(listing(),
              "shop-00000000-20261130T193003Z.block.pb.gz 3\nshop-00000000-20261130T193004Z.block.pb.gz 3\n");
    file_store_set_limits(s, &(struct file_limits){.max_bytes = 4096, .rotate_bytes = 1, .max_files = 10});
    file_store_tidy(s, NOW);
    CHECK_STR(listing(), "shop-00000000-20261130T193004Z.block.pb.gz 3\n");
    file_store_close(s);
    directory_end();
}

static void others_files_are_not_touched(void)
{
    directory_begin();
    put_file("important.jfr", "x", 1, 100000);
    put_file("shop.pb.gz.part", "x", 1, 100000);
    CHECK_INT(mkdir(in_dir("shop-00000000-20261130T193000Z.jfr"), 0700), 0);
    CHECK_INT(symlink("/etc/passwd", in_dir("shop-00000000-20261130T193001Z.jfr")), 0);
    CHECK_INT(symlink("important.jfr", in_dir("shop-00000000-20261130T193002Z.jfr.part")), 0);
    struct file_store *s = opened(1000, 8192, 2);
    append(s, "shop-00000000", 100, 0); /* each name of which there is something is passed over */
    append(s, "shop-00000000", 1000, 1);
    append(s, "shop-00000000", 1000, 2);
    append(s, "shop-00000000", 1000, 3);
    file_store_close(s);
    CHECK_HAS(listing(), "important.jfr 1\n");
    CHECK_HAS(listing(), "shop.pb.gz.part 1\n");
    CHECK_HAS(listing(), "shop-00000000-20261130T193003Z.jfr 1000\n");
    struct stat st;
    CHECK_INT(lstat(in_dir("shop-00000000-20261130T193001Z.jfr"), &st), 0);
    CHECK(S_ISLNK(st.st_mode));
    CHECK_INT(rmdir(in_dir("shop-00000000-20261130T193000Z.jfr")), 0);
    directory_end();
}

/* Two chunks and a part of a third. */
static struct buf recording_cut(size_t *whole)
{
    struct chunk_builder c = chunk_begin("11 long");
    chunk_checkpoint(&c, 0, 0);
    chunk_event_end(&c);
    chunk_end(&c);
    struct buf all = BUF_INIT(1 << 20);
    for (int i = 0; i < 2; i++)
        buf_append(&all, c.b.p, c.b.len);
    *whole = all.len;
    buf_append(&all, c.b.p, c.b.len - 5);
    chunk_done(&c);
    return all;
}

static void what_a_killed_program_left_is_repaired(void)
{
    size_t whole;
    char want[100];
    struct buf cut = recording_cut(&whole);
    directory_begin();
    put_file("shop-00000000-20261130T190000Z.jfr.part", cut.p, cut.len, 1800);
    put_file("bank-00000000-20261130T190000Z.jfr.part", cut.p, 100, 1800);
    put_file("inn-00000000-20261130T190000Z.jfr.part", "", 0, 1800);
    put_file("shop-00000000-20261130T190000Z.block.pb.gz.part", "half", 4, 1800);
    put_file("shop-00000000-20261130T190000Z.block.pb.gz", "whole", 5, 1700);
    struct file_store *s = opened(1000, 1 << 20, 100);
    snprintf(want, sizeof want,
             "shop-00000000-20261130T190000Z.block.pb.gz 5\nshop-00000000-20261130T190000Z.jfr %zu\n", whole);
    CHECK_STR(listing(), want);
    struct file_store_view v;
    file_store_view(s, &v);
    CHECK_INT(v.files, 2);
    file_store_tidy(s, NOW + 1850 * SECOND); /* the age counts from when it was written last */
    CHECK_STR(listing(), "shop-00000000-20261130T190000Z.block.pb.gz 5\n");
    file_store_close(s);
    directory_end();
    buf_done(&cut);
}

static void after_a_failed_write_the_file_consists_of_whole_chunks(void)
{
    directory_begin();
    struct file_store *s = opened(1 << 20, 1 << 24, 100);
    append(s, "shop-00000000", 1000, 0);
    struct rlimit old, small = {1500, 1500};
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_FSIZE, &small);
    static const char bytes[1000];
    struct err err = {0};
    CHECK_INT(file_store_append(s, "shop-00000000", (struct str){bytes, sizeof bytes}, NOW, &err), -EFBIG);
    setrlimit(RLIMIT_FSIZE, &old);
    CHECK_HAS(err.text, "shop-00000000-20261130T193000Z.jfr.part");
    CHECK_STR(listing(), "shop-00000000-20261130T193000Z.jfr 1000\n");
    append(s, "shop-00000000", 5, 1);
    CHECK_HAS(listing(), "T193001Z.jfr.part 5\n");
    /* One that somebody else changed or took away meanwhile is let be. */
    CHECK_INT(truncate(in_dir("shop-00000000-20261130T193001Z.jfr.part"), 2), 0);
    CHECK_INT(file_store_append(s, "shop-00000000", (struct str){bytes, 1}, NOW + 2 * SECOND, &err), -ESTALE);
    append(s, "shop-00000000", 7, 3);
    CHECK_INT(unlink(in_dir("shop-00000000-20261130T193003Z.jfr.part")), 0);
    CHECK_INT(file_store_append(s, "shop-00000000", (struct str){bytes, 1}, NOW + 4 * SECOND, &err), -ENOENT);
    append(s, "shop-00000000", 8, 5);
    CHECK_HAS(listing(), "T193005Z.jfr.part 8\n");
    file_store_close(s);
    directory_end();
}

static void a_directory_has_one_user_and_is_made_if_missing(void)
{
    struct err err = {0};
    struct file_store *a, *b;
    directory_begin();
    CHECK_INT(rmdir(dir), 0);
    CHECK_INT(file_store_open(dir, &a, &err), 0);
    CHECK_STR(file_store_directory(a), dir);
    CHECK_INT(file_store_open(dir, &b, &err), -EBUSY);
    CHECK_HAS(err.text, "in use by another pyroscope.file");
    file_store_close(a);
    CHECK_INT(file_store_open(dir, &b, &err), 0);
    file_store_close(b);
    char deep[128];
    snprintf(deep, sizeof deep, "%s/a/b", dir);
    CHECK_INT(file_store_open(deep, &b, &err), -ENOENT);
    CHECK_HAS(err.text, deep);
    CHECK_INT(file_store_open("/etc/passwd", &b, &err), -ENOTDIR);
    file_store_close(NULL);
    directory_end();
}

int main(void)
{
    signal(SIGXFSZ, SIG_IGN);
    RUN(chunks_are_appended_until_it_is_time_or_the_file_is_large);
    RUN(a_profile_is_a_file_of_its_own_and_compressed);
    RUN(the_oldest_files_go_when_there_are_too_many_bytes);
    RUN(the_oldest_files_go_when_there_are_too_many_or_too_old);
    RUN(others_files_are_not_touched);
    RUN(what_a_killed_program_left_is_repaired);
    RUN(after_a_failed_write_the_file_consists_of_whole_chunks);
    RUN(a_directory_has_one_user_and_is_made_if_missing);
    return REPORT();
}
