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

static void every_family_of_generated_names_is_known(void)
{
    static const struct {
        const char *name, *want;
    } cases[] = {
        /* HotSpot */
        {"sun/reflect/GeneratedMethodAccessor31", "sun/reflect/GeneratedMethodAccessor_"},
        {"jdk/internal/reflect/GeneratedConstructorAccessor7", "jdk/internal/reflect/GeneratedConstructorAccessor_"},
        {"sun/reflect/GeneratedSerializationConstructorAccessor2",
         "sun/reflect/GeneratedSerializationConstructorAccessor_"},
        {"app/Main$$Lambda+0x00007f2b1c0a8c10", "app/Main$$Lambda_"},
        {"app/Main$$Lambda$14+0x0000000800c0c000/1283928880", "app/Main$$Lambda_"},
        {"java/lang/invoke/LambdaForm$MH/0x00007f1234abcdef", "java/lang/invoke/LambdaForm$MH_"},
        {"java/lang/invoke/LambdaForm$DMH.0x0000000800c0c000", "java/lang/invoke/LambdaForm$DMH_"},
        {"java/lang/invoke/LambdaForm$BMH/1283928880", "java/lang/invoke/LambdaForm$BMH_"},
        {"java.lang.invoke.LambdaForm$MH+0x0000000800f48800/673412242", "java/lang/invoke/LambdaForm$MH_"},
        {"com.example.app.Agent$$Lambda$214/1792904767", "com/example/app/Agent$$Lambda_"},
        {"Main$$Lambda/0x000000002c0c0628", "Main$$Lambda_"},
        {"jdk/jfr/internal/handlers/EventHandler1427_1795806806055-15929", "jdk/jfr/internal/handlers/EventHandler_"},
        {"jdk/nashorn/internal/scripts/Script$3$\\^eval\\_", "jdk/nashorn/internal/scripts/Script$_$\\^eval\\_"},
        {"jdk/nashorn/internal/scripts/Script$Recompilation$12$345$f",
         "jdk/nashorn/internal/scripts/Script$Recompilation$_$_$f"},
        {"java/lang/String$$StringConcat/0x00007f1234abcdef", "java/lang/String$$StringConcat_"},
        {"com/sun/proxy/$Proxy12", "com/sun/proxy/$Proxy_"},
        {"jdk/proxy2/$Proxy34", "jdk/proxy_/$Proxy_"},
        {"$Proxy5", "$Proxy_"},
        /* CGLIB and Spring */
        {"app/A$$SpringCGLIB$$0", "app/A$$SpringCGLIB$$_"},
        {"app/A$$SpringCGLIB$$FastClass$$1", "app/A$$SpringCGLIB$$FastClass$$_"},
        {"app/A$$EnhancerBySpringCGLIB$$b8ef9c31$$FastClassBySpringCGLIB$$1a2b", "app/A$$EnhancerBySpringCGLIB$$_"},
        {"app/A$$FastClassBySpringCGLIB$$1a2b3c", "app/A$$FastClassBySpringCGLIB$$_"},
        {"app/A$$EnhancerByCGLIB$$9c0ffee1", "app/A$$EnhancerByCGLIB$$_"},
        {"app/A$$BeanMapByCGLIB$$4a5b6c7d", "app/A$$BeanMapByCGLIB$$_"},
        {"app/A$$EnhancerByGuice$$12345678", "app/A$$EnhancerByGuice$$_"},
        {"app/A$$SpringCGLIB$$0$$Lambda$14/0x0000000800c0c000", "app/A$$SpringCGLIB$$_$$Lambda_"},
        {"CGLIB$findAll$12", "CGLIB$findAll$_"},
        /* Byte Buddy, Hibernate, Mockito, Javassist, Jackson */
        {"app/A$ByteBuddy$Yx3kQp9a", "app/A$ByteBuddy$_"},
        {"app/A$HibernateProxy$8kdNdr2C", "app/A$HibernateProxy$_"},
        {"app/A$MockitoMock$1739184621", "app/A$MockitoMock$_"},
        {"app/A$auxiliary$q7Xz01Lm", "app/A$auxiliary$_"},
        {"app/A_$$_jvst5c2_3f", "app/A_$$_jvst_"},
        {"app/A$$$EasyMock$7", "app/A$$$EasyMock$_"},
        {"app/A_$$_javassist_12", "app/A_$$_javassist_"},
        {"app/A$Access4JacksonDeserializer77b3b9ce", "app/A$Access4JacksonDeserializer_"},
        /* Groovy, Gradle, Scala, Spark, Clojure, Trino */
        {"Script12", "Script_"},
        {"Script12$_run_closure1", "Script_$_run_closure1"},
        {"script16123456789012345678", "script_"},
        {"build_8n2k4q6s8u0w2y4a6c8e0g1i3$_run_closure2", "build_$_run_closure2"},
        {"app/Store$$anon$3", "app/Store$$anon$_"},
        {"app/Store$$anonfun$load$1", "app/Store$$anonfun$load$_"},
        {"app/Store$$anonfun$apply$2$$anonfun$load$1", "app/Store$$anonfun$apply$_$$anonfun$load$_"},
        {"$anonfun$load$12$adapted", "$anonfun$load$_$adapted"},
        {"$line12/$read$$iw", "$line_/$read$$iw"},
        {"app/GeneratedClass$GeneratedIteratorForCodegenStage4",
         "app/GeneratedClass$GeneratedIteratorForCodegenStage_"},
        {"user$eval1234", "user$eval_"},
        {"app/core$fn__1234", "app/core$fn__"},
        {"io/trino/$gen/PageFilter_20240131_103000_17", "io/trino/$gen/PageFilter_"},
        /* native libraries */
        {"libasyncProfiler-linux-x64-0000000000000000000000000000000000000.so", "libasyncProfiler-_.so"},
        {"libnetty_transport_native_epoll_x86_6412345678901234567.so", "libnetty_transport_native_epoll_x86_64_.so"},
        {"snappy-1.1.8-6f1b2c3d-0a1b-4c2d-8e3f-0123456789ab-libsnappyjava.so", "snappy-1.1.8-_-libsnappyjava.so"},
        {"jna1234567890123456789.tmp", "jna_.tmp"},
        {"libjavaProfiler-dd-tmp1234567890.so", "libjavaProfiler-dd-tmp_.so"},
        {"libpthread-2.17.so;649be141 (deleted)", "libpthread-2.17.so"},
        {"libconscrypt_openjdk_jni-linux-x86_641234567890123.so", "libconscrypt_openjdk_jni-linux-x86_64_.so"},
        {"librocksdbjni1234567890.so (deleted)", "librocksdbjni_.so"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(NORMALISE_SYMBOLS, cases[i].name, cases[i].want);
}

static void names_that_people_gave_stay(void)
{
    static const char *const names[] = {
        "",
        "java/util/Base64",
        "app/Proxy12",
        "app/$Proxies",
        "app/Main$1",
        "app/Main$Inner2",
        "lambda$main$0",
        "access$100",
        "app/Scripts12",
        "app/Script12Runner",
        "app/V1_2_3",
        "app/md5/Digest",
        "libssl.so.1.1",
        "libstdc++.so.6.0.30",
        "__memmove_avx512_unaligned",
        "__libc_start_call_main",
        "std::vector<int, 12>::push_back",
        "[Ljava/lang/String;",
        "0x00007f1234abcdef",
        "$",
        "$$",
        "_",
        "/",
        "app/Builder$build_2024",
        "app/Script$1",
        "com.example.Main",
        "lib.so;name",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check(NORMALISE_SYMBOLS, names[i], names[i]);
}

static void threads_of_a_pool_are_one(void)
{
    static const struct {
        const char *name, *want;
    } cases[] = {
        {"pool-3-thread-17", "pool-_-thread-_"},
        {"ForkJoinPool-1-worker-3", "ForkJoinPool-_-worker-_"},
        {"ForkJoinPool.commonPool-worker-3", "ForkJoinPool.commonPool-worker-_"},
        {"HikariPool-1 housekeeper", "HikariPool-_ housekeeper"},
        {"XNIO-1 task-12", "XNIO-_ task-_"},
        {"qtp1234567890-45", "qtp_-_"},
        {"http-nio-8080-exec-12", "http-nio-8080-exec-_"},
        {"lettuce-epollEventLoop-4-1", "lettuce-epollEventLoop-_-_"},
        {"kafka-producer-network-thread | producer-1", "kafka-producer-network-thread | producer-_"},
        {"GC Thread#7", "GC Thread#_"},
        {"C2 CompilerThread0", "C2 CompilerThread_"},
        {"[tid=12345]", "[tid=_]"},
        {"process reaper (pid 4711)", "process reaper (pid _)"},
        {"elasticsearch[node][search][T#12]", "elasticsearch[node][search][T#_]"},
        {"RMI TCP Connection(12)-10.0.0.1", "RMI TCP Connection(_)"},
        {"main", "main"},
        {"G1 Conc#0 of 3 parts", "G1 Conc#0 of 3 parts"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(NORMALISE_THREADS, cases[i].name, cases[i].want);
}

/* Once would be at most this much work for each byte; going back over the name for each `$` would take minutes. */
static void hostile_names_take_linear_time(void)
{
    enum { LEN = 1 << 20 };
    static const char *const parts[] = {"$$Lambda$1", "$anonfun$", "$$EnhancerBySpringCGLIB$$", "0", "__", "-0a",
                                        "/x86_64",    "/0x"};
    struct buf name = BUF_INIT(2 * LEN), out = BUF_INIT(2 * LEN);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        buf_reset(&name);
        while (name.len < LEN)
            buf_puts(&name, parts[i]);
        for (enum name_rules rules = NORMALISE_REFERENCE; rules <= NORMALISE_THREADS; rules++) {
            buf_reset(&out);
            (void)normalise(rules, buf_slice(&name), &out);
            CHECK(out.len <= name.len);
        }
    }
    buf_done(&name);
    buf_done(&out);
}

/* The look at all bytes at once against one byte after the other, at every length and place. */
static void one_look_tells_a_simple_name(void)
{
    enum { LONGEST = 70, ROUNDS = 400 };
    static const char odd[] = {'$', '0', '9', '/', ':', '#', '%', (char)0xc3, (char)0x80, 0x7f};
    uint32_t random = 1;
    for (size_t n = 0; n <= LONGEST; n++) {
        for (int round = 0; round < ROUNDS; round++) {
            char name[LONGEST];
            memset(name, 'x', n);
            for (int changes = round % 4; changes > 0 && n > 0; changes--) {
                random = random * 1664525 + 1013904223;
                const size_t at = (random >> 8) % n;
                name[at] = odd[(random >> 20) % sizeof odd];
                if (random & 1 << 30 && at + 1 < n)
                    name[at + 1] = name[at];
            }
            bool ascii = true, may_match = false;
            for (size_t i = 0; i < n; i++) {
                ascii &= (name[i] & 0x80) == 0;
                may_match |= (name[i] >= '0' && name[i] <= '9') || (name[i] == '$' && i + 1 < n && name[i + 1] == '$');
            }
            const enum name_look said = name_look((struct str){name, n});
            CHECK((said == NAME_FOREIGN) == !ascii);
            CHECK(said != NAME_SIMPLE || !may_match);
            CHECK(said != NAME_ASCII || may_match || n < 8); /* of short ones it may say so */
        }
    }
}

int main(void)
{
    RUN(one_look_tells_a_simple_name);
    RUN(every_family_of_generated_names_is_known);
    RUN(names_that_people_gave_stay);
    RUN(threads_of_a_pool_are_one);
    RUN(hostile_names_take_linear_time);
    RUN(generated_classes_lose_their_number);
    RUN(unpacked_libraries_lose_their_hash);
    RUN(the_reference_leaves_all_other_names);
    return REPORT();
}
