#include "cli/convert_foreign.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "jfr/chunk.h"

#define BYTES(s)                                                                                                       \
    {                                                                                                                  \
        s, sizeof(s) - 1                                                                                               \
    }

static const struct foreign_format {
    struct str magic;
    size_t at;
    const char *what;
    const char *program; /* that unpacks it to standard output; NULL = it is nothing that is packed */
} foreign_formats[] = {
    {BYTES("\x04\x22\x4d\x18"), 0, "LZ4", "lz4 -dc"},
    {BYTES("\x02\x21\x4c\x18"), 0, "LZ4", "lz4 -dc"},
    {BYTES("LZ4Block"), 0, "LZ4 (in blocks of lz4-java)", "LZ4BlockInputStream of lz4-java"},
    {BYTES("\x28\xb5\x2f\xfd"), 0, "Zstandard", "zstd -dc"},
    {BYTES("\xfd"
           "7zXZ\0"),
     0, "XZ", "xz -dc"},
    {BYTES("BZh"), 0, "bzip2", "bzip2 -dc"},
    {BYTES("LZIP"), 0, "lzip", "lzip -dc"},
    {BYTES("\x1f\x9d"), 0, "compress", "gzip -dc"},
    {BYTES("\xff\x06\0\0sNaPpY"), 0, "Snappy", "snzip -dc"},
    {BYTES("PK\x03\x04"), 0, "ZIP", "unzip -p"},
    {BYTES("PK\x05\x06"), 0, "ZIP", "unzip -p"},
    {BYTES("7z\xbc\xaf\x27\x1c"), 0, "7z", "7z x -so"},
    {BYTES("ustar"), 257, "tar", "tar -xOf"},
    {BYTES("heap profile:"), 0, "a heap profile of gperftools", NULL},
    {BYTES("heap_v2/"), 0, "a heap profile of gperftools or jemalloc", NULL},
    {BYTES("--- heap"), 0, "a heap profile of gperftools", NULL},
    {BYTES("--- contention"), 0, "a contention profile of gperftools", NULL},
    {BYTES("PERFILE2"), 0, "a recording of perf", NULL},
    {BYTES("JAVA PROFILE 1."), 0, "a heap dump of a JVM", NULL},
};

static bool foreign_is(const struct foreign_format *f, struct str begin)
{
    return begin.n >= f->at + f->magic.n && memcmp(begin.p + f->at, f->magic.p, f->magic.n) == 0;
}

static uint64_t foreign_word(struct str begin, size_t i, size_t size, bool big)
{
    uint64_t v = 0;
    for (size_t k = 0; k < size; k++)
        v = v << 8 | (unsigned char)begin.p[i * size + (big ? k : size - 1 - k)];
    return v;
}

/* Words of the machine: no header count, three words of header, version 0, the period in microseconds, 0. */
static bool foreign_is_cpu_profile(struct str begin)
{
    enum { COUNT, LENGTH, VERSION, PERIOD, PADDING, WORDS, HEADER_WORDS = 3 };
    static const size_t sizes[] = {8, 4};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        for (int big = 0; big < 2 && begin.n >= WORDS * sizes[i]; big++) {
            if (foreign_word(begin, COUNT, sizes[i], big) == 0 &&
                foreign_word(begin, LENGTH, sizes[i], big) == HEADER_WORDS &&
                foreign_word(begin, VERSION, sizes[i], big) == 0 && foreign_word(begin, PERIOD, sizes[i], big) != 0 &&
                foreign_word(begin, PADDING, sizes[i], big) == 0)
                return true;
        }
    }
    return false;
}

int foreign_check(const char *name, struct str begin, struct err *err)
{
    struct jfr_version version;
    if (jfr_version_of(begin.p, begin.n, &version) && !version.known)
        return err_set(err, -EILSEQ, "%s: JFR version %u.%u%s, which is not supported", name, version.major,
                       version.minor, version.major == 0 ? " (of Oracle's JDK 7 or 8)" : "");
    for (size_t i = 0; i < ARRAY_LEN(foreign_formats); i++) {
        const struct foreign_format *f = &foreign_formats[i];
        if (!foreign_is(f, begin))
            continue;
        if (!f->program)
            return err_set(err, -EILSEQ, "%s: %s, which is not supported", name, f->what);
        return err_set(err, -EILSEQ, "%s: packed with %s; unpack it first (%s)", name, f->what, f->program);
    }
    if (foreign_is_cpu_profile(begin))
        return err_set(err, -EILSEQ,
                       "%s: a CPU profile of gperftools, which is not supported; pprof -proto converts it", name);
    return 0;
}
