#include "jvm/probe/builds.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"

/* Feature releases that were profiled with async-profiler 4.6, cpu, alloc and lock, with many roll-overs, and none
 * died: HotSpot 8u212 to 8u504, 11.0.9 to 11.0.33, 17, 21, 25.0.5, 26.0.2, 27.0.1, of Debian, Temurin, Zulu, Corretto
 * and Oracle. Those between them are what came before a tested one. */
enum { OLDEST_TESTED = 8, NEWEST_TESTED = 27 };

/* Known to be killed by the attach. */
static const struct {
    unsigned major;
    bool early_only;
    unsigned profiler_from, profiler_to; /* versions of async-profiler, both included */
    const char *why;
} bad_builds[] = {
    /* Seen three times in three with 28-ea+18: SIGSEGV in VM::loadAllMethodIDs (vmEntry.cpp), which preallocates
     * jmethodIDs in a ClassLoaderData whose layout has changed; 4.5 attaches to the same build, 4.6 lives in it as
     * -agentpath. */
    {28, true, 4006, 4006, "async-profiler 4.6 kills early-access builds of JDK 28 (SIGSEGV in VM::loadAllMethodIDs)"},
};

/* Options of the profiler that are known to end badly before a fix in the JVM. */
static const struct {
    const char *option, *value; /* value: a word in it, NULL = any */
    struct {
        unsigned major, fixed_in; /* the update with the fix */
    } releases[6];
    const char *why;
} bad_options[] = {
    /* Live objects are told by the methods of unloaded classes, too. JDK-8313816, fixed in 11.0.23, 17.0.11, 21.0.3 and
     * 22. */
    {"live", NULL, {{11, 23}, {17, 11}, {21, 3}}, "this JVM may crash on methods of unloaded classes (JDK-8313816)"},
    /* AsyncGetCallTrace. JDK-8283849, fixed in 8u352, 11.0.17, 17.0.5 and 19. */
    {"features", "agct", {{8, 352}, {11, 17}, {17, 5}}, "AsyncGetCallTrace may crash this JVM (JDK-8283849)"},
};

static bool build_number(struct str *rest, unsigned *ret)
{
    size_t i = 0;
    unsigned n = 0;
    for (; i < rest->n && isdigit((unsigned char)rest->p[i]) && n < 100000; i++)
        n = n * 10 + (unsigned)(rest->p[i] - '0');
    *rest = (struct str){rest->p + i, rest->n - i};
    *ret = n;
    return i > 0;
}

static bool build_skip(struct str *rest, const char *text)
{
    if (!str_has_prefix(*rest, str_of(text)))
        return false;
    size_t n = strlen(text);
    *rest = (struct str){rest->p + n, rest->n - n};
    return true;
}

static bool build_has(struct str s, const char *part)
{
    return s.n && memmem(s.p, s.n, part, strlen(part));
}

void jvm_printable(struct str text, char *ret, size_t size)
{
    size_t n = text.n < size - 1 ? text.n : size - 1;
    for (size_t i = 0; i < n; i++)
        ret[i] = text.p[i] >= ' ' && text.p[i] < 0x7f ? text.p[i] : '?';
    ret[n] = '\0';
}

bool jvm_build_parse(struct str version, struct jvm_build *ret)
{
    struct jvm_build b = {.early = build_has(version, "-ea") || build_has(version, "-internal")};
    struct str rest = version;
    unsigned minor = 0;
    if (!build_number(&rest, &b.major) || b.major == 0)
        return false;
    const bool dotted = build_skip(&rest, ".") && build_number(&rest, &minor);
    if (b.major == 1 && dotted) {
        /* 1.8.0_504-b01 */
        b.major = minor;
        unsigned patch;
        if (build_skip(&rest, ".") && build_number(&rest, &patch) && build_skip(&rest, "_"))
            (void)build_number(&rest, &b.update);
    } else if (dotted && str_has_prefix(rest, STR("-b")) && !build_has(version, "+")) {
        /* HotSpot's own count, which ended with JDK 8: 20 to 25 for JDK 6 to 8. */
        b.update = minor;
        b.major = b.major == 25 ? 8 : b.major >= 21 && b.major <= 24 ? 7 : 6;
    } else if (dotted && build_skip(&rest, ".")) {
        (void)build_number(&rest, &b.update);
    }
    jvm_printable(version, b.text, sizeof b.text);
    *ret = b;
    return true;
}

/* The value of NAME="…". */
static bool release_value(struct str text, const char *name, struct str *ret)
{
    for (struct str line; str_split(&text, '\n', &line);)
        if (build_skip(&line, name) && build_skip(&line, "=\""))
            return str_split(&line, '"', ret);
    return false;
}

bool jvm_build_of_release(struct str text, struct jvm_build *ret)
{
    struct str value, vendor;
    const bool known = (release_value(text, "JAVA_RUNTIME_VERSION", &value) && jvm_build_parse(value, ret)) ||
                       (release_value(text, "JAVA_VERSION", &value) && jvm_build_parse(value, ret));
    if (known && release_value(text, "IMPLEMENTOR", &vendor))
        jvm_printable(vendor, ret->vendor, sizeof ret->vendor);
    return known;
}

bool jvm_build_of_libjvm(struct str bytes, struct jvm_build *ret)
{
    static const char before[] = " VM (", behind[] = ") for linux-";
    struct str rest = bytes;
    const char *at;
    while (rest.n && (at = memmem(rest.p, rest.n, behind, strlen(behind)))) {
        size_t back = (size_t)(at - bytes.p) < JVM_VERSION_MAX ? (size_t)(at - bytes.p) : JVM_VERSION_MAX;
        const char *from = memmem(at - back, back, before, strlen(before));
        if (from) {
            from += strlen(before);
            return jvm_build_parse((struct str){from, (size_t)(at - from)}, ret);
        }
        at += strlen(behind);
        rest = (struct str){at, rest.n - (size_t)(at - rest.p)};
    }
    return false;
}

unsigned asprof_version_of(struct str library)
{
    static const char before[] = "async-profiler ";
    unsigned major, minor;
    const char *at;
    while (library.n && (at = memmem(library.p, library.n, before, strlen(before)))) {
        at += strlen(before);
        library = (struct str){at, library.n - (size_t)(at - library.p)};
        struct str rest = library;
        if (build_number(&rest, &major) && build_skip(&rest, ".") && build_number(&rest, &minor) && minor < 1000)
            return major * 1000 + minor;
    }
    return 0;
}

int jvm_build_check(const struct jvm_build *b, unsigned profiler, bool untested, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(bad_builds); i++)
        if (b->major == bad_builds[i].major && (b->early || !bad_builds[i].early_only) &&
            profiler >= bad_builds[i].profiler_from && profiler <= bad_builds[i].profiler_to)
            return err_set(err, -ENOTSUP, "%s, and this JVM is %s; set 'dist' to another async-profiler",
                           bad_builds[i].why, b->text);
    if (untested)
        return 0;
    if (b->major == 0)
        return err_set(err, -ENOTSUP,
                       "the JVM's version cannot be read, and untested versions may crash on attach; untested_versions "
                       "= true allows it");
    if (b->major > NEWEST_TESTED)
        return err_set(err, -ENOTSUP,
                       "the JVM is version %s, newer than the tested versions (up to %d), and may crash on attach; "
                       "untested_versions = true allows it",
                       b->text, NEWEST_TESTED);
    if (b->major < OLDEST_TESTED)
        return err_set(
            err, -ENOTSUP,
            "the JVM is version %s, older than the tested versions (from %d); untested_versions = true allows it",
            b->text, OLDEST_TESTED);
    return 0;
}

const char *jvm_build_forbids(const struct jvm_build *b, struct str name, struct str value)
{
    for (size_t i = 0; i < ARRAY_LEN(bad_options); i++) {
        if (!str_is(name, bad_options[i].option) || (bad_options[i].value && !build_has(value, bad_options[i].value)))
            continue;
        for (size_t k = 0; k < ARRAY_LEN(bad_options[i].releases); k++)
            if (b->major && b->major == bad_options[i].releases[k].major &&
                b->update < bad_options[i].releases[k].fixed_in)
                return bad_options[i].why;
    }
    return NULL;
}
