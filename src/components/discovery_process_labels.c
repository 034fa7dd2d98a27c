#include "components/discovery_process_labels.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "flow/text.h"
#include "os/procfs.h"

enum { MENDED_MAX = 4 * JVM_CMDLINE_MAX }; /* a byte becomes U+FFFD, which takes three */

static void process_put(struct labels_builder *b, struct str name, struct str value)
{
    if (!value.n)
        return;
    if (str_is_utf8(value)) {
        labels_set(b, name, value);
        return;
    }
    cleanup_buf struct buf mended = BUF_INIT(MENDED_MAX);
    text_mend(value, &mended);
    labels_set(b, name, buf_slice(&mended));
}

static void process_put_number(struct labels_builder *b, struct str name, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    labels_set(b, name, str_of(text));
}

static void process_put_cgroup_path(struct labels_builder *b, struct str cgroup)
{
    cleanup_buf struct buf path = BUF_INIT(JVM_CGROUP_MAX);
    cgroup = str_trim(cgroup);
    for (struct str line; str_split(&cgroup, '\n', &line);) {
        if (path.len)
            buf_byte(&path, '|');
        buf_str(&path, line);
    }
    process_put(b, STR("__meta_process_cgroup_path"), buf_slice(&path));
}

static void process_put_systemd(struct labels_builder *b, struct str cgroup)
{
    char machine[PROCFS_MACHINE_MAX];
    process_put(b, STR("__meta_process_systemd_unit"), procfs_unit(cgroup));
    if (procfs_machine(cgroup, machine))
        process_put(b, STR("__meta_process_machine"), str_of(machine));
}

static void process_put_java(struct labels_builder *b, const struct discover_config *c, const struct jvm_scan_record *r,
                             const struct labels *known)
{
    const struct {
        struct str name, value;
        bool wanted;
    } facts[] = {
        {STR("__meta_process_java_vm"), r->vm, c->java},    {STR("__meta_process_java_main"), r->main, c->java},
        {STR("__meta_process_java_jar"), r->jar, c->java},  {STR("__meta_process_java_version"), r->version, c->java},
        {STR("service_name"), r->service, c->service_name}, {STR("__meta_process_profiling"), r->choice, c->java},
    };
    for (size_t i = 0; i < ARRAY_LEN(facts); i++)
        if (facts[i].wanted)
            process_put(b, facts[i].name, known ? labels_get(known, facts[i].name) : facts[i].value);
}

struct labels *process_labels(const struct discover_config *c, const struct jvm_scan_record *r,
                              const struct labels *known, size_t command_max)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    process_put_number(&b, STR("__process_pid__"), (uint64_t)r->pid);
    process_put_number(&b, STR("__process_start_time__"), r->start_time);
    process_put(&b, STR("__meta_process_exe"), r->exe);
    process_put(&b, STR("__meta_process_cwd"), r->cwd);
    const struct str command = {r->cmdline.p, r->cmdline.n < command_max ? r->cmdline.n : command_max};
    if (c->commandline)
        process_put(&b, STR("__meta_process_commandline"), command);
    process_put(&b, STR("__meta_process_username"), r->username);
    if (c->uid && r->has_uid)
        process_put_number(&b, STR("__meta_process_uid"), r->uid);
    if (c->container_id)
        process_put(&b, STR("__container_id__"), jvm_scan_container(r).id);
    if (c->cgroup_path)
        process_put_cgroup_path(&b, r->cgroup);
    if (c->systemd)
        process_put_systemd(&b, r->cgroup);
    process_put_java(&b, c, r, known);
    return labels_build(&b, true);
}
