/* A damaged database, and its write-ahead log: each page as the root of a table and of an index. Walks end, no page is
 * visited twice by one, and rows lie within what was read. Input: the size of the database, 4 bytes, then both. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/page_walk.h"

enum { ROOTS_MAX = 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char database[64], wal[80];
static volatile uint64_t seen; /* so that nothing that is read is left out */

static void remove_files(void)
{
    (void)unlink(wal);
    (void)unlink(database);
}

static void make_file(const char *path, const uint8_t *bytes, size_t n)
{
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
        abort();
}

/* Reads every byte of a row, so that the sanitizer sees those that are not there. */
static uint64_t read_row(const struct page_row *row)
{
    uint64_t sum = (uint64_t)row->rowid;
    if (row->n > PAGE_COLUMNS_MAX)
        abort();
    for (size_t i = 0; i < row->n; i++) {
        const struct page_column *c = &row->columns[i];
        sum += (uint64_t)c->number;
        for (size_t k = 0; k < c->bytes.n; k++)
            sum += (unsigned char)c->bytes.p[k];
    }
    return sum;
}

static void walk(struct page_file *file, uint32_t root, bool index)
{
    cleanup_free uint8_t *owners = xcalloc(file->count + 1, 1);
    struct page_walk w;
    struct page_row row;
    uint64_t sum = 0;
    /* A cell has two bytes at least in the list of its page, and belongs to one walk. */
    size_t rows = (size_t)file->count * file->size / 2 + 1;
    page_walk_begin(&w, file, owners, 1, root, index);
    while (page_walk_next(&w, &row)) {
        sum += read_row(&row);
        if (rows-- == 0)
            abort();
    }
    seen = sum;
    page_walk_done(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct page_file file;
    struct err err;
    if (!*database) {
        snprintf(database, sizeof database, "/dev/shm/fuzz_page_walk.%d", (int)getpid());
        snprintf(wal, sizeof wal, "%s-wal", database);
        (void)atexit(remove_files);
    }
    if (size < 4)
        return 0;
    const size_t of_database = page_u32(data) < size - 4 ? page_u32(data) : size - 4;
    make_file(database, data + 4, of_database);
    make_file(wal, data + 4 + of_database, size - 4 - of_database);
    if (page_file_open(database, &file, &err) < 0)
        return 0;
    for (uint32_t root = 1; root <= file.count && root <= ROOTS_MAX; root++) {
        walk(&file, root, false);
        walk(&file, root, true);
    }
    page_file_done(&file);
    return 0;
}
