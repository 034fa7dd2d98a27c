#include "components/pyroscope_store_args.h"

#include <errno.h>

#include "base/byte_size.h"
#include "base/clock.h"

static const int64_t keep_min = 60 * NS_PER_SEC;
static const uint64_t size_min = 1 << 20;

static const struct option options[] = {
    {"path", OPT_STRING, offsetof(struct store_args, path), .default_text = "\"\"",
     .help = "Directory of the database: absolute, or relative to `--storage.path`; created if missing. Empty: the "
             "embedded store of the agent, where it has one (`--store.listen`), else `--storage.path`."},
    {"keep", OPT_DURATION, offsetof(struct store_args, keep), .default_text = "\"168h\"",
     .help = "How long profiles are kept; at least 1m. The embedded store has `--store.keep` instead."},
    {"max_size", OPT_STRING, offsetof(struct store_args, max_size), .default_text = "\"1GiB\"",
     .help = "Size on disk beyond which the oldest profiles are deleted; at least 1MiB. The embedded store has "
             "`--store.max-size` instead."},
    {0},
};

static int store_args_check(const void *record, struct err *err)
{
    const struct store_args *a = record;
    uint64_t bytes;
    if (a->keep < keep_min)
        return err_set(err, -EINVAL, "keep must be at least 1m");
    if (!byte_size_parse(a->max_size, &bytes) || bytes > INT64_MAX)
        return err_set(err, -EINVAL, "max_size \"%s\" is not a size such as 1GiB or 512MiB", a->max_size);
    if (bytes < size_min)
        return err_set(err, -EINVAL, "max_size must be at least 1MiB");
    return 0;
}

const struct schema store_schema = {
    .size = sizeof(struct store_args), .options = options, .validate = store_args_check};

int64_t store_args_bytes(const struct store_args *a)
{
    uint64_t bytes = 0;
    (void)byte_size_parse(a->max_size, &bytes); /* checked at load */
    return (int64_t)bytes;
}
