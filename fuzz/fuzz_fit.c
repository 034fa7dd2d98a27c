/* What a target says of itself before it is attached to: versions, ELF headers, the profiler's refusals; and the
 * quarantine's file. What is kept of it is printable and short, and a list that was written is read as the same one. */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "jvm/attach/degrade.h"
#include "jvm/probe/builds.h"
#include "jvm/probe/elf_kind.h"
#include "jvm/session/quarantine_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t size)
{
    size_t n = strnlen(text, size);
    if (n == size)
        abort();
    for (size_t i = 0; i < n; i++)
        if (text[i] < ' ' || text[i] > '~')
            abort();
}

static void read_versions(struct str text)
{
    struct jvm_build b;
    struct err err;
    bool (*const readers[])(struct str, struct jvm_build *) = {jvm_build_parse, jvm_build_of_release,
                                                               jvm_build_of_libjvm};
    for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
        if (!readers[i](text, &b))
            continue;
        check_text(b.text, sizeof b.text);
        (void)!jvm_build_check(&b, asprof_version_of(text), i != 0, &err);
    }
}

static void read_refusal(struct str text)
{
    struct degraded d = {0};
    cleanup_free char *said = str_dup(text);
    (void)degrade_refused(STR("event=cpu,interval=1,alloc=1,live,lock=1,wall=1,record-cpu"), said, &d);
    (void)degrade_refused(text, "Perf events unavailable", &d);
    if (strlen(d.why) >= sizeof d.why || strlen(d.changes) >= sizeof d.changes)
        abort();
}

static void read_list(struct str text)
{
    cleanup_quarantine_list struct quarantine_list l = QUARANTINE_LIST_INIT, again = QUARANTINE_LIST_INIT;
    cleanup_buf struct buf one = BUF_INIT(QUARANTINE_FILE_MAX), two = BUF_INIT(QUARANTINE_FILE_MAX);
    quarantine_parse(text, &l);
    quarantine_print(&l, &one);
    quarantine_parse(buf_slice(&one), &again);
    quarantine_print(&again, &two);
    if (l.len > QUARANTINE_MAX || !str_eq(buf_slice(&one), buf_slice(&two)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str text = {(const char *)data, size};
    struct elf_kind kind;
    struct err err;
    if (elf_kind_of(data, size, &kind) == 0)
        (void)!elf_check(&kind, &(struct elf_kind){64, 62}, elf_host_machine(), &err);
    read_versions(text);
    read_refusal(text);
    read_list(text);
    return 0;
}
