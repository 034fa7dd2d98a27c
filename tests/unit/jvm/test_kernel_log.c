/* Records of the kernel log, among them those that local users compose of names they choose. */
#include "jvm/probe/kernel_log.h"

#include "test.h"

static struct kernel_death read_of(const char *text)
{
    struct kernel_death d = {0};
    char record[512];
    snprintf(record, sizeof record, "6,1234,5000000,-;%s\n SUBSYSTEM=x\n", text);
    kernel_log_record(str_of(record), 77, 4000000, &d);
    return d;
}

static bool is_nothing(struct kernel_death d)
{
    return !d.oom && !d.of_group && !d.fault && !d.profiler;
}

static void oom_kills_are_of_the_host_or_of_a_group(void)
{
    struct kernel_death d = read_of("Out of memory: Killed process 77 (java) total-vm:1kB, anon-rss:1kB, UID:0");
    CHECK(d.oom && !d.of_group);
    d = read_of("Memory cgroup out of memory: Killed process 77 (java) total-vm:1kB");
    CHECK(d.oom && d.of_group);
    d = read_of("Memory cgroup out of memory: Kill process 77 (java) score 1 or sacrifice child"); /* before 4.19 */
    CHECK(d.oom && d.of_group);
    CHECK(is_nothing(read_of("Out of memory: Killed process 777 (java) total-vm:1kB")));
    CHECK(is_nothing(read_of("Out of memory: Killed process 7 (77) total-vm:1kB")));
}

static void faults_name_the_library(void)
{
    struct kernel_death d = read_of("java[77]: segfault at 0 ip 00007f sp 00007f error 6 in libfoo.so[7f00+1000]");
    CHECK(d.fault && !d.profiler);
    d = read_of("java[77]: segfault at 0 ip 00007f sp 00007f error 6 in libasyncProfiler.so[7f00+1000]");
    CHECK(d.fault && d.profiler);
    CHECK(read_of("traps: java[77] trap invalid opcode ip:1 sp:2 error:0 in libjvm.so[7f00+1000]").fault);
    CHECK(read_of("traps: java[77] general protection fault ip:1 sp:2 error:0 in x[7f00+1000]").fault);
    CHECK(is_nothing(read_of("java[78]: segfault at 0 ip 00007f sp 00007f error 6 in libasyncProfiler.so[7f00+1]")));
}

static void names_forge_nothing(void)
{
    static const char *const texts[] = {
        /* A file called like a record, and threads called so. */
        "evil[78]: segfault at 0 ip 1 sp 2 error 4 in x[77]: segfault at 0 in libasyncProfiler.so[7f+1]",
        "a[77]: segfault[78]: segfault at 0 ip 1 sp 2 error 4",
        "[77]: segfaul[78]: segfault at 0 ip 1 sp 2 error 4 in libasyncProfiler",
        "traps: a[77] trap b[78] trap invalid opcode ip:1",
        "traps: evil[78] trap int3 ip:1 sp:2 error:0 in a[77] trap x[7f+1]",
        "Out of memory: [78]: segfault at 0",
        "evil: Out of memory: Killed process 77 (java)",
        "Killed process 77 (java)",
        "",
        "[",
        "traps: [",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        CHECK(is_nothing(read_of(texts[i])));
    CHECK(read_of("a[78]: x[77]: segfault at 0 ip 1").fault); /* its thread is called "a[78]: x" */
}

static void what_is_older_or_not_the_kernels_does_not_count(void)
{
    struct kernel_death d = {0};
    static const char *const records[] = {
        "6,1,3999999,-;Out of memory: Killed process 77 (java)\n",
        "14,1,5000000,-;Out of memory: Killed process 77 (java)\n", /* written to /dev/kmsg */
        "6,1,x,-;Out of memory: Killed process 77 (java)\n",
        "6,1;Out of memory: Killed process 77 (java)\n",
        ";",
        "6,1,5000000,-;",
        "6,1,5000000,-;x\n Out of memory: Killed process 77 (java)\n",
    };
    for (size_t i = 0; i < sizeof records / sizeof *records; i++)
        kernel_log_record(str_of(records[i]), 77, 4000000, &d);
    kernel_log_record((struct str){0}, 77, 0, &d);
    CHECK(is_nothing(d));
}

/* The log itself, where this is the initial namespace: whatever it says, it is not about a process that does not
 * exist. */
static void the_log_is_read_to_its_end(void)
{
    struct kernel_death d = {.oom = true};
    kernel_log_read(1 << 30, 0, &d);
    CHECK(is_nothing(d));
}

int main(void)
{
    RUN(oom_kills_are_of_the_host_or_of_a_group);
    RUN(faults_name_the_library);
    RUN(names_forge_nothing);
    RUN(what_is_older_or_not_the_kernels_does_not_count);
    RUN(the_log_is_read_to_its_end);
    return REPORT();
}
