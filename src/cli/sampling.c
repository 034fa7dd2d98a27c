#include "cli/sampling.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "jvm/attach/asprof_options.h"

enum { SAMPLING_MAX = 1024, SAMPLING_VALUE_MAX = 64 };

/* Events with an interval of their own, beside the one CPU event. */
static const struct {
    const char *name, *option, *interval;
} side_events[] = {{"alloc", "--alloc", "512k"},
                   {"lock", "--lock", "10ms"},
                   {"wall", "--wall", "50ms"},
                   {"nativemem", "--nativemem", "512k"},
                   {"nativelock", "--nativelock", "10ms"}};

static int sampling_add(struct buf *out, const char *option, const char *value, struct err *err)
{
    const char *args[] = {option, value};
    return asprof_options_parse(args, ARRAY_LEN(args), true, out, err);
}

/* One event, perhaps with "=interval". */
static int sampling_event(struct str item, bool *has_cpu, struct buf *out, struct err *err)
{
    const char *eq = item.n ? memchr(item.p, '=', item.n) : NULL;
    const struct str name = {item.p, eq ? (size_t)(eq - item.p) : item.n};
    char value[SAMPLING_VALUE_MAX] = "", event[SAMPLING_VALUE_MAX] = "";
    if (!name.n || name.n >= sizeof event || item.n - name.n >= sizeof value)
        return err_set(err, -EINVAL, "--events: \"%.*s\" is not an event", STR_ARG(item));
    snprintf(event, sizeof event, "%.*s", STR_ARG(name));
    if (eq)
        snprintf(value, sizeof value, "%.*s", (int)(item.n - name.n - 1), eq + 1);
    for (size_t i = 0; i < ARRAY_LEN(side_events); i++)
        if (str_is(name, side_events[i].name))
            return sampling_add(out, side_events[i].option, *value ? value : side_events[i].interval, err);
    if (*has_cpu)
        return err_set(err, -EINVAL,
                       "--events: %s: only one CPU event can be combined with alloc, lock, wall, "
                       "nativemem and nativelock",
                       event);
    *has_cpu = true;
    const int code = sampling_add(out, "--event", event, err);
    return code < 0 ? code : sampling_add(out, "--interval", *value ? value : "10ms", err);
}

int sampling_options(const char *events, char **ret, struct err *err)
{
    cleanup_buf struct buf out = BUF_INIT(SAMPLING_MAX);
    struct str rest = str_of(events), item;
    bool has_cpu = false;
    if (!*events)
        return err_set(err, -EINVAL, "--events: expected at least one event, such as itimer");
    while (str_split(&rest, ',', &item)) {
        const int code = sampling_event(str_trim(item), &has_cpu, &out, err);
        if (code < 0)
            return code;
    }
    if (!buf_ok(&out))
        return err_set(err, -EINVAL, "--events: too long");
    struct str all = buf_slice(&out);
    if (all.n && all.p[0] == ',')
        all = (struct str){all.p + 1, all.n - 1};
    *ret = str_dup(all);
    return 0;
}
