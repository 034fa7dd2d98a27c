/* HotSpot's tables in the memory of real JVMs of every JDK here. Needs a JDK, and leave to read the memory of a
 * child. */
#include "jvm/probe/vm_memory.h"

#include <sys/mman.h>

#include "base/cleanup.h"
#include "java_target.h"
#include "os/procfs.h"
#include "test.h"

static bool note(void *arg, struct str path, uint64_t start)
{
    if (start && str_has_suffix(path, STR("/libjvm.so")))
        *(uint64_t *)arg = start;
    return true;
}

static uint64_t libjvm_of(const struct java_target *t)
{
    uint64_t start = 0;
    CHECK_INT(procfs_maps(t->pid, note, &start, NULL), 0);
    CHECK(start != 0);
    return start;
}

static int memory_of(const struct java_target *t)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)t->pid);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static struct vm_flags flags_with(const char *home, const char *option)
{
    const char *options[] = {"-XX:+PerfDisableSharedMem", option, NULL};
    struct java_target t;
    struct vm_flags o = {0};
    char command[VM_COMMAND_MAX];
    CHECK(java_begin(home, options, &t) && java_ready(&t));
    cleanup_close int mem = memory_of(&t);
    CHECK(vm_memory_flags(mem, libjvm_of(&t), &o));
    CHECK_INT(vm_memory_command(mem, libjvm_of(&t), command), strlen("Busy"));
    CHECK_STR(command, "Busy");
    char version[VM_VERSION_MAX];
    CHECK(vm_memory_version(mem, libjvm_of(&t), version) > 0);
    CHECK(strncmp(version, "1.8.0_", 6) == 0 || strtol(version, NULL, 10) >= 9);
    printf("   version %s\n", version);
    CHECK(!vm_memory_flags(mem, libjvm_of(&t) + 4096, &o));
    CHECK(!vm_memory_flags(mem, 0, &o));
    java_kill(&t);
    return o;
}

static void flags_of(const char *home)
{
    printf("-- %s\n", home);
    struct vm_flags o = flags_with(home, NULL);
    CHECK(!o.attach_off && !o.reduced_signals && !o.no_dynamic_agents);
    o = flags_with(home, "-XX:+DisableAttachMechanism");
    CHECK(o.attach_off && !o.reduced_signals && !o.no_dynamic_agents);
    o = flags_with(home, "-Xrs");
    CHECK(!o.attach_off && o.reduced_signals && !o.no_dynamic_agents);
    o = flags_with(home, "-XX:-EnableDynamicAgentLoading");
    CHECK(!o.attach_off && !o.reduced_signals && o.no_dynamic_agents);
}

static void the_flags_of_a_jvm_are_what_it_was_told(void)
{
    if (java_each(flags_of) == 0)
        SKIP(flags, "needs a JDK");
}

static void a_process_without_a_jvm_has_none(void)
{
    struct vm_flags o = {.reduced_signals = true};
    char command[VM_COMMAND_MAX];
    cleanup_close int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    CHECK(!vm_memory_flags(mem, (uint64_t)(uintptr_t)&o & ~(uint64_t)4095, &o));
    CHECK(o.reduced_signals);
    CHECK_INT(vm_memory_command(-1, 4096, command), 0);
    CHECK_STR(command, "");
}

static void a_release_says_the_version_of_the_jdk(void)
{
    static const char *const cases[][2] = {{"17.0.12+7-Debian-2deb12u1", "17.0.12"},
                                           {"25.392-b08", "1.8.0_392"},
                                           {"25.0.5+7-LTS", "25.0.5"},
                                           {"25.0.5-beta+3", "25.0.5-beta"},
                                           {"27-ea+18", "27-ea"},
                                           {"21", "21"},
                                           {"", ""},
                                           {"17\x1b[2J", "17"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char version[VM_VERSION_MAX];
        CHECK_INT(vm_version_of_release(str_of(cases[i][0]), version), strlen(cases[i][1]));
        CHECK_STR(version, cases[i][1]);
    }
}

/* The corpus of the fuzzer has a JVM whose tables are made up, and others that are not what they should be. */
static bool made_up(const char *name, struct vm_flags *o, char command[VM_COMMAND_MAX])
{
    char bytes[8 * 4096], path[PATH_MAX];
    snprintf(path, sizeof path, "%s/fuzz/corpus/vm_memory/%s", SOURCE_ROOT, name);
    cleanup_close int from = open(path, O_RDONLY | O_CLOEXEC), mem = memfd_create("memory", MFD_CLOEXEC);
    const ssize_t n = read(from, bytes, sizeof bytes);
    CHECK(n > 0 && pwrite(mem, bytes, (size_t)n, 4096) == n && ftruncate(mem, (off_t)9 * 4096) == 0);
    command[0] = '\0';
    (void)vm_memory_command(mem, 4096, command);
    return vm_memory_flags(mem, 4096, o);
}

static void tables_that_lie_yield_nothing(void)
{
    struct vm_flags o = {0};
    char command[VM_COMMAND_MAX];
    CHECK(made_up("whole", &o, command));
    CHECK(o.attach_off && !o.reduced_signals && !o.no_dynamic_agents);
    CHECK_STR(command, "com.example.Main arg");
    o = (struct vm_flags){0};
    CHECK(made_up("many", &o, command));
    CHECK(o.attach_off);
    o = (struct vm_flags){0};
    CHECK(!made_up("endless", &o, command));
    CHECK(!made_up("torn", &o, command));
    CHECK(!made_up("no-library", &o, command));
    CHECK(!o.attach_off && !o.reduced_signals && !o.no_dynamic_agents);
}

int main(void)
{
    RUN(tables_that_lie_yield_nothing);
    RUN(a_release_says_the_version_of_the_jdk);
    RUN(the_flags_of_a_jvm_are_what_it_was_told);
    RUN(a_process_without_a_jvm_has_none);
    java_clean_up();
    return REPORT();
}
