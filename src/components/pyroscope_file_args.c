#include "components/pyroscope_file_args.h"

#include <errno.h>
#include <string.h>

#include "base/byte_size.h"
#include "base/clock.h"

/* Below these nothing but rotation would be going on. */
enum { ROTATE_SIZE_MIN = 64 << 10, FILES_MIN = 2, FILES_MAX = 1000000, NAME_LABELS_MAX = 8 };

static const struct option options[] = {
    {"directory", OPT_STRING, offsetof(struct file_args, directory), .required = true,
     .help = "Absolute path of the directory; created if missing, but not its parents."},
    {"formats", OPT_STRING_LIST, offsetof(struct file_args, formats), .default_text = "[\"jfr\", \"pprof\"]",
     .help = "What to keep: `jfr` (recordings of JVMs), `pprof` (profiles)."},
    {"name_labels", OPT_STRING_LIST, offsetof(struct file_args, name_labels), .default_text = "[\"service_name\"]",
     .help = "Labels whose values begin the names of files."},
    {"rotate_interval", OPT_DURATION, offsetof(struct file_args, rotate_interval), .default_text = "\"15m\"",
     .help = "Maximum time one file is written to; at least 1s."},
    {"rotate_size", OPT_STRING, offsetof(struct file_args, rotate_size), .default_text = "\"64MiB\"",
     .help = "Maximum size of one file; at least 64k. A larger chunk has a file of its own."},
    {"max_size", OPT_STRING, offsetof(struct file_args, max_size), .default_text = "\"1GiB\"",
     .help = "Maximum size of all files; at least twice `rotate_size`. The oldest are removed."},
    {"max_age", OPT_DURATION, offsetof(struct file_args, max_age), .default_text = "\"24h\"",
     .help = "Files are removed at this age; `0s`: never."},
    {"max_files", OPT_INT, offsetof(struct file_args, max_files), .default_text = "10000",
     .help = "Maximum number of files. The oldest are removed."},
    {0},
};

static int file_args_check_formats(const struct file_args *a, struct err *err)
{
    for (size_t i = 0; i < a->formats.len; i++) {
        const char *f = a->formats.items[i];
        if (strcmp(f, "jfr") != 0 && strcmp(f, "pprof") != 0)
            return err_set(err, -EINVAL, "formats: unknown format \"%s\", expected \"jfr\" or \"pprof\"", f);
    }
    return a->formats.len ? 0 : err_set(err, -EINVAL, "formats must not be empty");
}

static int file_args_check_sizes(const struct file_args *a, struct err *err)
{
    uint64_t rotate, most;
    if (!byte_size_parse(a->rotate_size, &rotate))
        return err_set(err, -EINVAL, "rotate_size \"%s\" is not a size such as 64MiB or 512k", a->rotate_size);
    if (!byte_size_parse(a->max_size, &most))
        return err_set(err, -EINVAL, "max_size \"%s\" is not a size such as 1GiB or 64MiB", a->max_size);
    if (rotate < ROTATE_SIZE_MIN)
        return err_set(err, -EINVAL, "rotate_size must be at least 64k");
    if (most < 2 * rotate)
        return err_set(err, -EINVAL, "max_size must be at least twice rotate_size");
    return 0;
}

static int file_args_check(const void *record, struct err *err)
{
    const struct file_args *a = record;
    if (a->directory[0] != '/')
        return err_set(err, -EINVAL, "directory must be an absolute path, got \"%s\"", a->directory);
    int code = file_args_check_formats(a, err);
    if (code == 0)
        code = file_args_check_sizes(a, err);
    if (code < 0)
        return code;
    if (a->name_labels.len > NAME_LABELS_MAX)
        return err_set(err, -EINVAL, "name_labels must not have more than %d labels", NAME_LABELS_MAX);
    if (a->rotate_interval < NS_PER_SEC)
        return err_set(err, -EINVAL, "rotate_interval must be at least 1s");
    if (a->max_age < 0)
        return err_set(err, -EINVAL, "max_age must not be negative");
    if (a->max_files < FILES_MIN || a->max_files > FILES_MAX)
        return err_set(err, -EINVAL, "max_files must be between %d and %d", FILES_MIN, FILES_MAX);
    return 0;
}

const struct schema file_schema = {.size = sizeof(struct file_args), .options = options, .validate = file_args_check};

bool file_args_keep(const struct file_args *a, const char *format)
{
    for (size_t i = 0; i < a->formats.len; i++)
        if (strcmp(a->formats.items[i], format) == 0)
            return true;
    return false;
}
