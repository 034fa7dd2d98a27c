#include "os/code_pages.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static long resident_files_kib(void)
{
    char line[256];
    long kib = -1;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, "RssFile:", 8) == 0)
            kib = strtol(line + 8, NULL, 10);
    }
    if (f)
        fclose(f);
    return kib;
}

/* Code of the C library that is not in use while it is let go of. */
static void use_code(void)
{
    regex_t r;
    CHECK_INT(regcomp(&r, "^a(b|c)*d$", REG_EXTENDED), 0);
    CHECK_INT(regexec(&r, "abcbcd", 0, NULL, 0), 0);
    regfree(&r);
}

static void what_is_let_go_of_is_not_resident_and_comes_back(void)
{
    use_code();
    const long before = resident_files_kib();
    code_pages_release(NULL);
    const long after = resident_files_kib();
    CHECK(after < before);
    use_code();
    CHECK(resident_files_kib() >= after);
}

static bool none(const char *path)
{
    (void)path;
    return false;
}

static void what_is_not_wanted_is_left_alone(void)
{
    use_code();
    const long before = resident_files_kib();
    code_pages_release(none);
    CHECK(resident_files_kib() >= before);
}

int main(void)
{
    RUN(what_is_let_go_of_is_not_resident_and_comes_back);
    RUN(what_is_not_wanted_is_left_alone);
    return REPORT();
}
