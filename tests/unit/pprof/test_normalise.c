#include "pprof/normalise.h"

#include "base/buf.h"
#include "test.h"

static void check(enum name_rules rules, const char *name, const char *want)
{
    struct buf b = BUF_INIT(512);
    bool changed = normalise(rules, str_of(name), &b);
    CHECK_STR(changed ? buf_cstr(&b) : name, want);
    CHECK(changed || b.len == 0);
    buf_done(&b);
}

static void check_name(const char *symbol, const char *want)
{
    check(NORMALISE_REFERENCE, symbol, want);
    check(NORMALISE_SYMBOLS, symbol, want);
}

static void generated_classes_lose_their_number(void)
{
    check_name("jdk/internal/reflect/GeneratedMethodAccessor31", "jdk/internal/reflect/GeneratedMethodAccessor_");
    check_name("app/Main$$Lambda$14/0x00007f1234abcdef", "app/Main$$Lambda_");
    check_name("app/Main$$Lambda.0x0000000800c0c000", "app/Main$$Lambda_");
    check_name("app/Main$$Lambda$14/1283928880", "app/Main$$Lambda_");
    check_name("app/Main$$Lambda77", "app/Main$$Lambda_");
    check_name("app/A$$EnhancerBySpringCGLIB$$b8ef9c31", "app/A$$EnhancerBySpringCGLIB$$_");
}

static void unpacked_libraries_lose_their_hash(void)
{
    check_name("/tmp/libzstd-jni-1.5.1-16931311898282279136.so", "libzstd-jni-_.so");
    check_name("libzstd-jni-1.5.1-16931311898282279136.so (deleted)", "libzstd-jni-_.so");
    check_name("libamazonCorrettoCryptoProvider109b39cf33c563eb.so", "libamazonCorrettoCryptoProvider_.so");
    check_name("amazonCorrettoCryptoProviderNativeLibraries.7382c2f79097f415/libcrypto.so",
               "libamazonCorrettoCryptoProvider_.so");
    check_name("libasyncProfiler-linux-x64-17b9a1d8156277a98ccc871afa9a8f69215f92.so", "libasyncProfiler-_.so");
}

static void the_reference_leaves_all_other_names(void)
{
    static const char *const names[] = {
        "",
        "java/lang/Thread",
        "sun/reflect/GeneratedMethodAccessor31",
        "jdk/internal/reflect/GeneratedMethodAccessor",
        "jdk/internal/reflect/GeneratedMethodAccessor3a",
        "app/Main$$Lambda",
        "app/Main$$Lambda$14/xyz",
        "$$Lambda$14/0x1",
        "jdk/proxy2/$Proxy13",
        "java/lang/invoke/LambdaForm$MH/0x00007f1234abcdef",
        "app/A$$EnhancerBySpringCGLIB$$",
        "libzstd-jni-1.5-16931311898282279136.so",
        "libamazonCorrettoCryptoProvider109b39cf33c563e.so",
        "libasyncProfiler-linux-x64-0000000000000000000000000000000000000.so",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check(NORMALISE_REFERENCE, names[i], names[i]);
}

int main(void)
{
    RUN(generated_classes_lose_their_number);
    RUN(unpacked_libraries_lose_their_hash);
    RUN(the_reference_leaves_all_other_names);
    return REPORT();
}
