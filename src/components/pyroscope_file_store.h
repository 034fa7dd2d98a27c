/* The directory of pyroscope.file: chunks appended to recordings, profiles written, the oldest files removed.
 *
 * A recording is a file that chunks are appended to until it is rotated; meanwhile it ends with ".part", and consists
 * of whole chunks after every call, also after one that failed. A profile appears complete. What a program that was
 * killed left behind is repaired when the directory is opened: recordings are cut to whole chunks, other incomplete
 * files are removed. Files that are not named as in pyroscope_file_name.h are never touched.
 *
 * The directory is locked, so that limits are counted by one program only. Limits count a file with at least one block
 * of the file system. Every function blocks on the file system: for workers. Times are wall clock nanoseconds, passed
 * by the caller; one that was set back rotates.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct file_limits {
    uint64_t max_bytes, rotate_bytes;
    size_t max_files;
    int64_t max_age_ns; /* 0 = no limit */
    int64_t rotate_ns;
};

struct file_store;

struct file_store_view {
    size_t files;     /* recordings that are being written included */
    uint64_t bytes;   /* as they count against the limit */
    size_t writing;   /* recordings */
    uint64_t removed; /* files, since it was opened */
};

/* Makes the directory if only it is missing. -EBUSY: another one has it. The error says what to do. */
must_check int file_store_open(const char *directory, struct file_store **ret, struct err *err);
/* Completes the recordings that are being written. NULL is fine. */
void file_store_close(struct file_store *s);
const char *file_store_directory(const struct file_store *s);
void file_store_set_limits(struct file_store *s, const struct file_limits *limits);

/* Appends a chunk to the recording of this base name. -EFBIG: larger than all files together may be. */
must_check int file_store_append(struct file_store *s, const char *base, struct str chunk, int64_t now_ns,
                                 struct err *err);
/* Writes a profile, compressed if it is not. `type` is its name. */
must_check int file_store_put(struct file_store *s, const char *base, struct str type, struct str pprof, int64_t now_ns,
                              struct err *err);
/* Rotates and removes what is due by now. */
void file_store_tidy(struct file_store *s, int64_t now_ns);
void file_store_view(const struct file_store *s, struct file_store_view *ret);
