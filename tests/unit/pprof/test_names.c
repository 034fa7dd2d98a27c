#include "pprof/names.h"

#include "base/buf.h"
#include "test.h"

static void check_name(const char *symbol, const char *want)
{
    struct stable_name n = stable_name(str_of(symbol));
    struct buf b = BUF_INIT(512);
    buf_str(&b, n.head);
    buf_puts(&b, n.tail);
    CHECK_STR(buf_cstr(&b), want);
    buf_done(&b);
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

static void all_other_names_stay(void)
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
        "app/A$$EnhancerBySpringCGLIB$$",
        "libzstd-jni-1.5-16931311898282279136.so",
        "libamazonCorrettoCryptoProvider109b39cf33c563e.so",
        "libasyncProfiler-linux-x64-0000000000000000000000000000000000000.so",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check_name(names[i], names[i]);
}

int main(void)
{
    RUN(generated_classes_lose_their_number);
    RUN(unpacked_libraries_lose_their_hash);
    RUN(all_other_names_stay);
    return REPORT();
}
