/* The quarantine list on disk: <storage path>/quarantine, one line per make-up, so that it survives restarts of the
 * agent and the JVM.
 *
 *     <key> TAB <strikes> TAB <seconds since 1970> TAB <uid> TAB <how it ended> TAB <program> TAB <main> TAB <build>
 *     [TAB <profiler>]
 *
 * Build and profiler (digits of its SHA-1) are those that crashed. Malformed lines are skipped. The agent adds entries,
 * `smolder forgive` removes them; each holds the lock of <storage path>/quarantine.lock and replaces the file
 * atomically. Both files are 0600. Blocking: for a worker or a command.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "jvm/probe/makeup.h"

/* So many in all, and so many of one user's: beyond it that user's oldest go first. */
enum { QUARANTINE_MAX = 256, QUARANTINE_USER_MAX = 32, QUARANTINE_WHY_MAX = 160, QUARANTINE_FILE_MAX = 256 << 10 };
/* So many strikes condemn a make-up; so many also stop the profiler in JVMs of that make-up which run. */
enum { QUARANTINE_STRIKES = 2, QUARANTINE_SURE = 3 };

struct quarantine_entry {
    struct jvm_makeup makeup;
    unsigned strikes;
    int64_t when_s;               /* wall clock, of the last death */
    char why[QUARANTINE_WHY_MAX]; /* "killed by SIGSEGV 0.3 s after the attach" */
};

struct quarantine_list {
    struct quarantine_entry *items; /* owned; oldest first */
    size_t len, cap;
};
#define QUARANTINE_LIST_INIT ((struct quarantine_list){0})
void quarantine_list_done(struct quarantine_list *l);
#define cleanup_quarantine_list __attribute__((cleanup(quarantine_list_done)))

/* By key; NULL when it is not there. Borrowed until the next change. */
struct quarantine_entry *quarantine_list_find(const struct quarantine_list *l, const char *key);
/* In the place of one with the same key. */
void quarantine_list_put(struct quarantine_list *l, const struct quarantine_entry *e);
void quarantine_list_remove(struct quarantine_list *l, size_t i);

void quarantine_parse(struct str text, struct quarantine_list *ret);
void quarantine_print(const struct quarantine_list *l, struct buf *out);

/* Reads the file; an empty list where there is none. */
must_check int quarantine_load(const char *dir, struct quarantine_list *ret, struct err *err);
/* Reads it, has it changed, and writes it if `change` says so. The directory is made where it is missing (0700). */
must_check int quarantine_edit(const char *dir, bool (*change)(void *arg, struct quarantine_list *l), void *arg,
                               struct err *err);
