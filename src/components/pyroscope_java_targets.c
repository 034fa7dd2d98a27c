#include "components/pyroscope_java_targets.h"

#include <limits.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/log.h"
#include "os/procfs.h"

/* What makes a target useless, or "" and its identity. */
static const char *java_target_identify(const struct labels *target, struct jvm_id *ret)
{
    uint64_t pid, start;
    struct str text = labels_get(target, STR("__process_pid__"));
    if (text.n == 0)
        return "no label __process_pid__";
    if (!str_to_u64(text, &pid) || pid == 0 || pid > INT_MAX)
        return "label __process_pid__ is not a process ID";
    /* discovery.process says it; other sources need not. */
    struct procfs_stat stat;
    if (str_to_u64(labels_get(target, STR("__process_start_time__")), &start))
        *ret = (struct jvm_id){(pid_t)pid, start};
    else if (procfs_stat((pid_t)pid, &stat, NULL) == 0)
        *ret = (struct jvm_id){(pid_t)pid, stat.start_time};
    else
        return "no such process";
    return "";
}

void java_targets_forget(struct strmap *reported)
{
    strmap_each(reported, e) free((char *)e->key.p);
    strmap_done(reported);
}

static void java_target_report(const struct labels *target, const char *why, const char *component,
                               struct strmap *before, struct strmap *now)
{
    cleanup_buf struct buf text = BUF_INIT(16 << 10);
    labels_print(target, &text);
    struct str name = str_of(buf_cstr(&text));
    if (strmap_has(now, name))
        return;
    if (!strmap_has(before, name))
        log_warn("target skipped", L_COMPONENT(component), L_STR("target", buf_cstr(&text)), L_STR("reason", why));
    char *key = str_dup(name);
    strmap_put(now, str_of(key), (void *)1);
}

void java_targets_identify(const struct targets *ts, const char *component, struct strmap *reported, struct jvm_id *ids)
{
    cleanup_u64map struct u64map last = U64MAP_INIT; /* pid -> the last target that names it */
    struct strmap now = STRMAP_INIT;
    for (size_t i = 0; i < ts->len; i++) {
        uint64_t before;
        ids[i].pid = 0;
        const char *why = java_target_identify(ts->items[i], &ids[i]);
        if (*why) {
            java_target_report(ts->items[i], why, component, reported, &now);
            continue;
        }
        if (u64map_get(&last, (uint64_t)ids[i].pid, &before))
            ids[before].pid = 0;
        u64map_put(&last, (uint64_t)ids[i].pid, i);
    }
    java_targets_forget(reported);
    *reported = now;
}
