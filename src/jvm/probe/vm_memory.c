#include "jvm/probe/vm_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "jvm/probe/memory.h"

enum { FIELDS_MAX = 16384, TYPES_MAX = 8192, FLAGS_MAX = 8192, FLAG_SIZE_MAX = 512, FLAG_NAME_MAX = 64 };

/* By the exported tables, whose entries have a fixed size and the last of which is empty: addresses of static fields,
 * offsets of others. */
struct vm_layout {
    uint64_t flags, flag_count, command, release, heap;
    uint64_t name_offset, value_offset;
    uint64_t flag_size;
};

static uint64_t global(struct memory *m, const char *name)
{
    const uint64_t at = memory_symbol(m, name);
    return at ? memory_word(m, at) : 0;
}

static void note_field(struct memory *m, struct vm_layout *l, uint64_t type, uint64_t field, uint64_t offset,
                       uint64_t address)
{
    static const struct {
        const char *type, *field;
        size_t into;
        bool is_static;
    } wanted[] = {
        {"JVMFlag", "flags", offsetof(struct vm_layout, flags), true},
        {"JVMFlag", "numFlags", offsetof(struct vm_layout, flag_count), true},
        {"JVMFlag", "_name", offsetof(struct vm_layout, name_offset), false},
        {"JVMFlag", "_addr", offsetof(struct vm_layout, value_offset), false},
        {"Flag", "flags", offsetof(struct vm_layout, flags), true},
        {"Flag", "numFlags", offsetof(struct vm_layout, flag_count), true},
        {"Flag", "_name", offsetof(struct vm_layout, name_offset), false},
        {"Flag", "_addr", offsetof(struct vm_layout, value_offset), false},
        {"Flag", "name", offsetof(struct vm_layout, name_offset), false},
        {"Flag", "addr", offsetof(struct vm_layout, value_offset), false},
        {"Arguments", "_java_command", offsetof(struct vm_layout, command), true},
        {"Abstract_VM_Version", "_s_vm_release", offsetof(struct vm_layout, release), true},
        {"Universe", "_collectedHeap", offsetof(struct vm_layout, heap), true},
    };
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        if (memory_text_is(m, type, wanted[i].type) && memory_text_is(m, field, wanted[i].field))
            *(uint64_t *)((char *)l + wanted[i].into) = wanted[i].is_static ? address : offset;
}

static void read_fields(struct memory *m, struct vm_layout *l)
{
    const uint64_t first = global(m, "gHotSpotVMStructs"), stride = global(m, "gHotSpotVMStructEntryArrayStride"),
                   type_at = global(m, "gHotSpotVMStructEntryTypeNameOffset"),
                   field_at = global(m, "gHotSpotVMStructEntryFieldNameOffset"),
                   offset_at = global(m, "gHotSpotVMStructEntryOffsetOffset"),
                   address_at = global(m, "gHotSpotVMStructEntryAddressOffset");
    for (uint64_t i = 0, entry = first; first && stride && i < FIELDS_MAX; i++, entry += stride) {
        const uint64_t type = memory_word(m, entry + type_at), field = memory_word(m, entry + field_at);
        if (!type || !field)
            return;
        note_field(m, l, type, field, memory_word(m, entry + offset_at), memory_word(m, entry + address_at));
    }
}

static void read_flag_size(struct memory *m, struct vm_layout *l)
{
    const uint64_t first = global(m, "gHotSpotVMTypes"), stride = global(m, "gHotSpotVMTypeEntryArrayStride"),
                   name_at = global(m, "gHotSpotVMTypeEntryTypeNameOffset"),
                   size_at = global(m, "gHotSpotVMTypeEntrySizeOffset");
    for (uint64_t i = 0, entry = first; first && stride && i < TYPES_MAX; i++, entry += stride) {
        const uint64_t name = memory_word(m, entry + name_at);
        if (!name)
            return;
        if (memory_text_is(m, name, "JVMFlag") || memory_text_is(m, name, "Flag"))
            l->flag_size = memory_word(m, entry + size_at);
    }
}

static bool read_flags(struct memory *m, const struct vm_layout *l, struct vm_flags *o)
{
    const uint64_t flags = memory_word(m, l->flags), count = memory_word(m, l->flag_count);
    bool attach = false, signals = false;
    if (l->flag_size == 0 || l->flag_size > FLAG_SIZE_MAX)
        return false;
    for (uint64_t i = 0; i < count && i < FLAGS_MAX; i++) {
        const uint64_t flag = flags + i * l->flag_size, name_at = memory_word(m, flag + l->name_offset);
        char name[FLAG_NAME_MAX];
        uint8_t value;
        /* The last one has no name. */
        if (!name_at || !memory_text(m, name_at, name, sizeof name))
            continue;
        if (!vm_flags_knows(str_of(name)) || !memory_read(m, memory_word(m, flag + l->value_offset), &value, 1))
            continue;
        vm_flags_set(o, str_of(name), value != 0);
        attach = attach || strcmp(name, "DisableAttachMechanism") == 0;
        signals = signals || strcmp(name, "ReduceSignalUsage") == 0;
    }
    return attach && signals;
}

bool vm_memory_flags(int mem, uint64_t libjvm, struct vm_flags *o)
{
    cleanup_free struct memory *m = xcalloc(1, sizeof *m);
    struct vm_layout l = {0};
    struct vm_flags found = *o;
    if (!libjvm || !memory_open(m, mem, libjvm))
        return false;
    read_fields(m, &l);
    read_flag_size(m, &l);
    /* The heap is made after all options have been read: before that, the flags have their defaults. */
    if (!l.flags || !l.flag_count || !l.heap || memory_word(m, l.heap) == 0 || !read_flags(m, &l, &found))
        return false;
    *o = found;
    return true;
}

/* The text that the pointer in the static field at `field` of struct vm_layout points to. */
static size_t vm_memory_text(int mem, uint64_t libjvm, size_t field, char *ret, size_t size)
{
    cleanup_free struct memory *m = xcalloc(1, sizeof *m);
    struct vm_layout l = {0};
    ret[0] = '\0';
    if (!libjvm || !memory_open(m, mem, libjvm))
        return 0;
    read_fields(m, &l);
    const uint64_t pointer = *(const uint64_t *)((const char *)&l + field),
                   text = pointer ? memory_word(m, pointer) : 0;
    return text ? memory_text(m, text, ret, size) : 0;
}

size_t vm_memory_command(int mem, uint64_t libjvm, char ret[VM_COMMAND_MAX])
{
    return vm_memory_text(mem, libjvm, offsetof(struct vm_layout, command), ret, VM_COMMAND_MAX);
}

size_t vm_version_of_release(struct str release, char ret[VM_VERSION_MAX])
{
    static const struct str jdk8 = {"25.", 3}; /* HotSpot 25 is that of JDK 8: later ones have the version of the JDK */
    struct str version = {0};
    (void)!str_split(&release, '+', &version);
    for (size_t i = 0; i < version.n; i++)
        if (version.p[i] < '!' || version.p[i] > '~')
            version.n = i; /* no version, wherever it was read */
    const char *build = version.n ? memmem(version.p, version.n, "-b", 2) : NULL;
    if (build && str_has_prefix(version, jdk8) &&
        !memchr(version.p + jdk8.n, '.', (size_t)(build - version.p) - jdk8.n))
        snprintf(ret, VM_VERSION_MAX, "1.8.0_%.*s", (int)(build - version.p - (ptrdiff_t)jdk8.n), version.p + jdk8.n);
    else
        snprintf(ret, VM_VERSION_MAX, "%.*s", STR_ARG(version));
    return strlen(ret);
}

size_t vm_memory_version(int mem, uint64_t libjvm, char ret[VM_VERSION_MAX])
{
    char release[VM_COMMAND_MAX];
    const size_t n = vm_memory_text(mem, libjvm, offsetof(struct vm_layout, release), release, sizeof release);
    return vm_version_of_release((struct str){release, n}, ret);
}
