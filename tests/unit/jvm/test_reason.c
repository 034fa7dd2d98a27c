/* The table of states and reasons. */
#include "jvm/probe/reason.h"

#include <string.h>

#include "base/cleanup.h"
#include "test.h"

static void codes_are_unique_and_stable_in_form(void)
{
    for (size_t i = 0; i < jvm_reason_count; i++) {
        const struct jvm_reason *r = &jvm_reasons[i];
        CHECK_INT(strspn(r->code, "abcdefghijklmnopqrstuvwxyz_9"), strlen(r->code));
        CHECK(r->cause[0] && r->remedy[0] && r->cause[strlen(r->cause) - 1] != '.');
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(jvm_reasons[k].code, r->code) != 0);
    }
}

static void no_row_hides_another(void)
{
    for (size_t i = 0; i < jvm_reason_count; i++)
        for (size_t k = 0; k < JVM_REASON_MATCHES && jvm_reasons[i].match[k]; k++)
            CHECK_STR(jvm_reason_of(jvm_reasons[i].state, jvm_reasons[i].match[k])->code, jvm_reasons[i].code);
}

static const struct {
    const char *sentence, *code;
    enum jvm_state state;
} sentences[] = {
    {"process 7 is stopped", "stopped", JVM_STATE_WAITING},
    {"waiting until it is 0.5 s old (min_age)", "min_age", JVM_STATE_WAITING},
    {"10 other JVMs are profiled, as many as max_targets allows", "max_targets", JVM_STATE_WAITING},
    {"no HotSpot JVM in this process", "not_hotspot", JVM_STATE_WAITING},
    {"another async-profiler session is running in the JVM (/x/libasyncProfiler.so)", "other_profiler",
     JVM_STATE_WAITING},
    {"the JVM runs with -XX:+DisableAttachMechanism", "attach_disabled", JVM_STATE_REFUSED},
    {"install the library in /tmp of the target: create: No space left on device", "disk_full", JVM_STATE_BACKING_OFF},
    {"create /tmp/.attach_pid7 in the target as its user 5: Permission denied", "no_permission", JVM_STATE_REFUSED},
    {"process 7 did not answer in time", "hanging", JVM_STATE_BACKING_OFF},
    {"the JVM did not load the profiler: Error relocating", "library_rejected", JVM_STATE_REFUSED},
    {"the JVM did not load the profiler: the JVM does not support Tool Interface", "starting_up", JVM_STATE_WAITING},
    {"the JVM is version 99, newer than the tested versions (up to 28), and may crash on attach", "version_untested",
     JVM_STATE_REFUSED},
    {"memory limit of the container: 3 MiB of 64 MiB left", "memory_limit", JVM_STATE_BACKING_OFF},
    {"a JVM like this one (Shop) was killed by SIGSEGV; quarantined until 'smolder forgive'", "quarantined",
     JVM_STATE_REFUSED},
    {"the JVM creates its attach socket in /tmp: open directory /tmp: the system call openat2 is not available",
     "no_path_resolution", JVM_STATE_REFUSED},
    {"something unheard of", "other", JVM_STATE_BACKING_OFF},
    {"the process ended: killed by SIGKILL 0.3 s after the attach", "crashed", JVM_STATE_GONE},
    {"the process ended", "ended", JVM_STATE_GONE},
};

static void sentences_have_codes_and_states(void)
{
    for (size_t i = 0; i < ARRAY_LEN(sentences); i++) {
        CHECK_STR(jvm_reason_of(JVM_STATE_WAITING, sentences[i].sentence)->code, sentences[i].code);
        CHECK_INT(jvm_state_of_reason(sentences[i].sentence), sentences[i].state);
    }
}

static void rows_for_profiled_jvms_are_for_them_only(void)
{
    const char *sentence = "without alloc: No AllocTracer symbols found";
    CHECK_STR(jvm_reason_of(JVM_STATE_DEGRADED, sentence)->code, "events_missing");
    CHECK_STR(jvm_reason_of(JVM_STATE_WAITING, sentence)->code, "other");
}

static void every_state_without_a_sentence_has_a_code(void)
{
    CHECK_STR(jvm_reason_of(JVM_STATE_WAITING, "")->code, "queued");
    CHECK_STR(jvm_reason_of(JVM_STATE_ATTACHING, "")->code, "attaching");
    CHECK_STR(jvm_reason_of(JVM_STATE_PROFILING, "")->code, "ok");
    for (unsigned s = 0; s < JVM_STATE_COUNT; s++)
        CHECK(jvm_state_name((enum jvm_state)s)[0] && jvm_state_meaning((enum jvm_state)s)[0]);
}

int main(void)
{
    RUN(codes_are_unique_and_stable_in_form);
    RUN(no_row_hides_another);
    RUN(sentences_have_codes_and_states);
    RUN(rows_for_profiled_jvms_are_for_them_only);
    RUN(every_state_without_a_sentence_has_a_code);
    return REPORT();
}
