/* Names of the files of pyroscope.file, safe whatever the labels say:
 *
 *     shop-1234-9f86d081-20261130T193000Z.jfr
 *     shop-9f86d081-20261130T193100Z.process_cpu.pb.gz
 *
 * First the values of `name_labels`, then the PID (recordings), a hash of the labels, and the time the file was begun.
 * Bytes other than letters, digits, `.`, `_` and `-` become `_`, so no value leaves the directory, hides a file or acts
 * on a terminal; the hash separates what that makes equal. A second file of the same second ends with `.2` and so on. A
 * file that is not complete ends with `.part`.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flow/labels.h"
#include "lang/option.h"

enum {
    FILE_BASE_MAX = 160, /* without what follows the hash */
    FILE_NAME_BYTES = 256,
};
#define FILE_PART ".part"

/* What of the name the labels determine, "shop-1234-9f86d081". The hash leaves out labels that differ between a JVM's
 * recording and its profiles: those that begin with "__", `jfr_event` and `pyroscope_spy`. */
void file_name_base(const struct labels *labels, const struct string_list *name_labels, char ret[FILE_BASE_MAX]);

enum file_kind { FILE_OTHER, FILE_JFR, FILE_PPROF };

/* The complete name. `type`: the profile's name, of FILE_PPROF; `n`: above 1 for another one. */
void file_name_put(const char *base, int64_t wall_ns, enum file_kind kind, struct str type, unsigned n,
                   char ret[FILE_NAME_BYTES]);
/* Whether a name in the directory is one of these, and *part whether it ends with FILE_PART. Others are never
 * touched. */
enum file_kind file_name_kind(const char *name, bool *part);
