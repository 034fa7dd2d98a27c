#include "jvm/probe/perfdata.h"

#include <stdlib.h>

#include "test.h"

enum { PROLOGUE = 32, HEAD = 20, SIZE = 512 };

static uint8_t file[SIZE];
static size_t file_n;

static void put32(size_t at, uint32_t v)
{
    memcpy(file + at, &v, sizeof v);
}

/* A little-endian file without entries. */
static void begin(void)
{
    memset(file, 0, sizeof file);
    memcpy(file, "\xca\xfe\xc0\xc0\x01\x02", 6);
    put32(24, PROLOGUE);
    file_n = PROLOGUE;
}

static void entry(const char *name, const char *value)
{
    size_t name_n = strlen(name) + 1, value_n = strlen(value) + 1, at = file_n;
    put32(at, (uint32_t)(HEAD + name_n + value_n));
    put32(at + 4, HEAD);
    put32(at + 8, (uint32_t)value_n);
    file[at + 12] = 'B';
    put32(at + 16, (uint32_t)(HEAD + name_n));
    memcpy(file + at + HEAD, name, name_n);
    memcpy(file + at + HEAD + name_n, value, value_n);
    file_n += HEAD + name_n + value_n;
    uint32_t n;
    memcpy(&n, file + 28, sizeof n);
    put32(28, n + 1);
}

static bool find(size_t n, const char *name, char *ret)
{
    struct str text;
    if (!perfdata_string((struct str){(const char *)file, n}, name, &text))
        return false;
    snprintf(ret, SIZE, "%.*s", STR_ARG(text));
    return true;
}

static void strings_are_found_by_name(void)
{
    char text[SIZE];
    begin();
    entry("sun.rt.javaCommand", "com.example.Main a b");
    entry("sun.rt.jvmCapabilities", "1000");
    CHECK(find(file_n, "sun.rt.jvmCapabilities", text));
    CHECK_STR(text, "1000");
    CHECK(find(file_n, "sun.rt.javaCommand", text));
    CHECK_STR(text, "com.example.Main a b");
    CHECK(!find(file_n, "sun.rt", text));
}

static void no_cut_reads_beyond_the_bytes(void)
{
    char text[SIZE];
    begin();
    entry("a", "1");
    entry("b", "2");
    for (size_t n = 0; n < file_n; n++) {
        uint8_t *exact = malloc(n ? n : 1); /* so that a sanitizer sees one byte too far */
        struct str found;
        memcpy(exact, file, n);
        CHECK(!perfdata_string((struct str){(const char *)exact, n}, "b", &found));
        free(exact);
    }
    CHECK(find(file_n, "b", text));
}

static void lengths_that_lie_are_refused(void)
{
    char text[SIZE];
    static const size_t fields[] = {24, PROLOGUE, PROLOGUE + 4, PROLOGUE + 16};
    static const uint32_t lies[] = {0, 1, 19, SIZE, 0x7fffffff, 0xffffffff};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        for (size_t k = 0; k < sizeof lies / sizeof *lies; k++) {
            begin();
            entry("name", "value");
            put32(fields[i], lies[k]);
            if (find(file_n, "name", text))
                CHECK(strlen(text) < SIZE);
        }
    begin();
    put32(28, 0xffffffff);
    CHECK(!find(file_n, "name", text));
    file[0] = 0;
    CHECK(!find(file_n, "name", text));
}

int main(void)
{
    RUN(strings_are_found_by_name);
    RUN(no_cut_reads_beyond_the_bytes);
    RUN(lengths_that_lie_are_refused);
    return REPORT();
}
