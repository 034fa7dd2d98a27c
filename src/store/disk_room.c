#include "store/disk_room.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"

enum { FILE_MODE = 0600, AMPLE = 4 /* times the reserve */ };

void disk_room_init(struct disk_room *r, const char *database)
{
    *r = (struct disk_room){.path = database ? xasprintf("%s.reserve", database) : NULL};
}

void disk_room_done(struct disk_room *r)
{
    free(r->path);
    *r = (struct disk_room){0};
}

int disk_room_use(struct disk_room *r, struct db *db, struct err *err)
{
    int64_t pages, ignored;
    char cap[64];
    if (!r->path)
        return 0;
    (void)unlink(r->path);
    r->held = false;
    /* Busy while somebody reads: then a part of it was done. */
    int code = db_number(db, "PRAGMA wal_checkpoint(TRUNCATE)", &ignored, err);
    if (code == 0)
        code = db_number(db, "PRAGMA page_count", &pages, err);
    if (code < 0)
        return code;
    snprintf(cap, sizeof cap, "PRAGMA max_page_count = %lld", (long long)pages);
    code = db_exec(db, cap, err);
    r->capped |= code == 0;
    return code;
}

static bool disk_room_take(const char *path)
{
    struct statvfs fs;
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    const bool taken = fd >= 0 && fstatvfs(fd, &fs) == 0 &&
                       (uint64_t)fs.f_bavail * fs.f_frsize >= 2 * (uint64_t)DISK_ROOM_BYTES &&
                       fallocate(fd, 0, 0, DISK_ROOM_BYTES) == 0;
    if (fd >= 0 && !taken)
        (void)unlink(path);
    return taken;
}

void disk_room_restore(struct disk_room *r, struct db *db)
{
    struct err err;
    if (!r->path || r->held)
        return;
    r->held = disk_room_take(r->path);
    if (r->held && r->capped)
        r->capped = db_exec(db, "PRAGMA max_page_count = 4294967294", &err) < 0;
}

bool disk_room_is_ample(const char *database)
{
    struct statvfs fs;
    return statvfs(database, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize >= AMPLE * (uint64_t)DISK_ROOM_BYTES;
}
