/* The smallest harness: a test prints its own line, a failed check says both values and the run goes on. Independent of
 * NDEBUG.
 *
 *     int main(void) { RUN(parses_an_empty_file); return REPORT(); }
 */
#pragma once

#include <stdio.h>
#include <string.h>

static int tests_passed, tests_failed, checks_failed;

#define FAIL_(...)                                                                                                     \
    do {                                                                                                               \
        checks_failed++;                                                                                               \
        printf("  %s:%d: ", __FILE__, __LINE__);                                                                       \
        printf(__VA_ARGS__);                                                                                           \
        putchar('\n');                                                                                                 \
    } while (0)

#define CHECK(cond)                                                                                                    \
    do {                                                                                                               \
        if (!(cond))                                                                                                   \
            FAIL_("%s", #cond);                                                                                        \
    } while (0)

#define CHECK_INT(got, want)                                                                                           \
    do {                                                                                                               \
        long long got_ = (long long)(got), want_ = (long long)(want);                                                  \
        if (got_ != want_)                                                                                             \
            FAIL_("%s is %lld, want %lld", #got, got_, want_);                                                         \
    } while (0)

#define CHECK_STR(got, want)                                                                                           \
    do {                                                                                                               \
        const char *got_ = (got), *want_ = (want);                                                                     \
        if (!got_ || strcmp(got_, want_) != 0)                                                                         \
            FAIL_("%s is \"%s\", want \"%s\"", #got, got_ ? got_ : "(null)", want_);                                   \
    } while (0)

#define CHECK_HAS(got, part)                                                                                           \
    do {                                                                                                               \
        const char *got_ = (got), *part_ = (part);                                                                     \
        if (!got_ || !strstr(got_, part_))                                                                             \
            FAIL_("%s is \"%s\", should contain \"%s\"", #got, got_ ? got_ : "(null)", part_);                         \
    } while (0)

#define RUN(test)                                                                                                      \
    do {                                                                                                               \
        checks_failed = 0;                                                                                             \
        test();                                                                                                        \
        printf("%s %s\n", checks_failed ? "FAIL" : "ok  ", #test);                                                     \
        fflush(stdout);                                                                                                \
        *(checks_failed ? &tests_failed : &tests_passed) += 1;                                                         \
    } while (0)

#define SKIP(test, why) printf("skip %s: %s\n", #test, why)

#define REPORT() (printf("%d passed, %d failed\n", tests_passed, tests_failed), tests_failed != 0)
