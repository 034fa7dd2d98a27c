#include "cli/convert_foreign.h"

#include <errno.h>
#include <string.h>

#include "test.h"

#define BYTES(s)                                                                                                       \
    {                                                                                                                  \
        s, sizeof(s) - 1                                                                                               \
    }

static void what_others_write_is_named(void)
{
    static const struct {
        struct str begin;
        const char *want;
    } cases[] = {
        {BYTES("\x04\x22\x4d\x18\x64\x40\xa7"), "in: packed with LZ4; unpack it first (lz4 -dc)"},
        {BYTES("LZ4Block\x25"), "LZ4"},
        {BYTES("PK\x03\x04\x14\0"), "in: packed with ZIP; unpack it first (unzip -p)"},
        {BYTES("\xfd\x37zXZ\0\0\x04"), "in: packed with XZ; unpack it first (xz -dc)"},
        {BYTES("\x28\xb5\x2f\xfd\x04"), "in: packed with Zstandard; unpack it first (zstd -dc)"},
        {BYTES("BZh91AY"), "bzip2"},
        {BYTES("7z\xbc\xaf\x27\x1c\0"), "7z"},
        {BYTES("FLR\0\0\0\0\x09 and so on"), "in: JFR version 0.9 (of Oracle's JDK 7 or 8), which is not supported"},
        {BYTES("FLR\0\0\3\0\1 and so on"), "in: JFR version 3.1, which is not supported"},
        {BYTES("heap profile:      1:    2 [     3:      4] @ heap_v2/524288"), "a heap profile of gperftools"},
        {BYTES("JAVA PROFILE 1.0.2"), "a heap dump"},
        {BYTES("PERFILE2"), "a recording of perf"},
        {BYTES("\0\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\x27\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
         "a CPU profile of gperftools"},
        {BYTES("\0\0\0\0\3\0\0\0\0\0\0\0\x10\x27\0\0\0\0\0\0\5\0\0\0"), "a CPU profile of gperftools"},
        {BYTES("\0\0\0\0\0\0\0\3\0\0\0\0\0\0\x27\x10\0\0\0\0"), "a CPU profile of gperftools"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = {0};
        CHECK_INT(foreign_check("in", cases[i].begin, &err), -EILSEQ);
        CHECK_HAS(err.text, cases[i].want);
    }
    char tar[512] = {0};
    struct err err = {0};
    memcpy(tar + 257, "ustar", 5);
    CHECK_INT(foreign_check("in", (struct str){tar, sizeof tar}, &err), -EILSEQ);
    CHECK_HAS(err.text, "packed with tar");
}

static void what_may_be_ours_is_not(void)
{
    static const char zeros[64];
    static const struct str cases[] = {
        BYTES(""),
        BYTES("F"),
        BYTES("FLR\0"),
        BYTES("FLR\0\0\2\0\0"),
        BYTES("FLR\0\0\2\0\1"),
        BYTES("FLR\0\0\1\0\0"),
        BYTES("\x1f\x8b\x08"),
        BYTES("\n\4\x08\1\x10\2"), /* pprof */
        BYTES("PK"),
        {zeros, sizeof zeros},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = {0};
        CHECK_INT(foreign_check("in", cases[i], &err), 0);
        CHECK_STR(err.text, "");
    }
}

int main(void)
{
    RUN(what_others_write_is_named);
    RUN(what_may_be_ours_is_not);
    return REPORT();
}
