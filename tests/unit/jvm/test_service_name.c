/* Names as processes declare them, and what is none. */
#include "jvm/probe/service_name.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/wire.h"
#include "os/procfs.h"
#include "test.h"

/* Texts with a NUL behind each. */
#define TEXTS(literal) ((struct str){literal, sizeof(literal)})

static void check_environment(struct str environment, const char *want)
{
    char got[SERVICE_NAME_MAX] = "";
    CHECK_INT(service_name_in_environment(environment, got), *want != '\0');
    CHECK_STR(got, want);
}

static void the_environment_names_the_service(void)
{
    check_environment(TEXTS("A=1\0OTEL_SERVICE_NAME=shop\0B=2"), "shop");
    check_environment(TEXTS("OTEL_RESOURCE_ATTRIBUTES=service.version=1, service.name=cart ,x=y"), "cart");
    check_environment(TEXTS("OTEL_RESOURCE_ATTRIBUTES=service.name=cart\0OTEL_SERVICE_NAME=shop"), "shop");
    check_environment(TEXTS("OTEL_RESOURCE_ATTRIBUTES=service.name=my%20shop%2C%zz%"), "my shop,%zz%");
    check_environment(TEXTS("OTEL_SERVICE_NAME=\0OTEL_RESOURCE_ATTRIBUTES=service.name=cart"), "cart");
    check_environment(TEXTS("OTEL_SERVICE_NAME=gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
}

static void what_is_no_name_declares_nothing(void)
{
    check_environment(TEXTS("OTEL_SERVICE_NAME="), "");
    check_environment(TEXTS("OTEL_SERVICE_NAME=  "), "");
    check_environment(TEXTS("XOTEL_SERVICE_NAME=shop"), "");
    check_environment(TEXTS("OTEL_SERVICE_NAME=unknown_service:java"), "");
    check_environment(TEXTS("OTEL_SERVICE_NAME=a\x1b[31m"), "");
    check_environment(TEXTS("OTEL_SERVICE_NAME=a\xff"), "");
    check_environment(TEXTS("OTEL_RESOURCE_ATTRIBUTES=service.name=a%0ab"), "");
    check_environment(TEXTS("OTEL_RESOURCE_ATTRIBUTES=my.service.name=a"), "");
    check_environment((struct str){0}, "");
    char text[SERVICE_NAME_MAX + 32];
    memset(text, 'x', sizeof text);
    memcpy(text, "OTEL_SERVICE_NAME=", strlen("OTEL_SERVICE_NAME="));
    check_environment((struct str){text, strlen("OTEL_SERVICE_NAME=") + SERVICE_NAME_MAX}, "");
}

static void check_arguments(struct str cmdline, struct str environment, const char *want)
{
    char got[SERVICE_NAME_MAX] = "";
    CHECK_INT(service_name_in_arguments(cmdline, environment, got), *want != '\0');
    CHECK_STR(got, want);
}

static void system_properties_name_the_service(void)
{
    check_arguments(TEXTS("java\0-Dotel.service.name=shop\0Main"), TEXTS(""), "shop");
    check_arguments(TEXTS("java\0-Dotel.resource.attributes=a=b,service.name=cart\0Main"), TEXTS(""), "cart");
    check_arguments(TEXTS("java\0Main"), TEXTS("JAVA_TOOL_OPTIONS=-Xmx1g -Dotel.service.name=shop -Da=b"), "shop");
    check_arguments(TEXTS("java\0-Dotel.service.name=a"), TEXTS("JAVA_TOOL_OPTIONS=-Dotel.service.name=b"), "a");
    check_arguments(TEXTS("java\0Main"), TEXTS("JAVA_OPTS=-Dotel.service.name=b"), "");
}

static void a_system_property_is_the_one_that_the_jvm_has(void)
{
    check_arguments(TEXTS("java\0-Dotel.service.name=a\0-Dotel.service.name=b\0Main"), TEXTS(""), "b");
    check_arguments(TEXTS("java\0-Dotel.service.name=a"), TEXTS("_JAVA_OPTIONS=-Dotel.service.name=b"), "b");
    check_arguments(TEXTS("java\0Main"),
                    TEXTS("JDK_JAVA_OPTIONS=-Dotel.service.name=a\0JAVA_TOOL_OPTIONS=-Dotel.service.name=b"), "a");
    /* Only the launcher reads it. */
    check_arguments(TEXTS("jsvc\0Main"), TEXTS("JDK_JAVA_OPTIONS=-Dotel.service.name=a"), "");
    check_arguments(TEXTS("jsvc\0-Dotel.service.name=a\0Main"), TEXTS(""), "a");
    /* Arguments of the program are no options. */
    check_arguments(TEXTS("java\0Main\0-Dotel.service.name=a"), TEXTS(""), "");
    check_arguments(TEXTS("java\0-jar\0a.jar\0-Dotel.service.name=a"), TEXTS(""), "");
    check_arguments(TEXTS("java\0-cp\0/srv\0-Dotel.service.name=a\0Main"), TEXTS(""), "a");
    check_arguments(TEXTS("java\0-Dotel.resource.attributes=service.name=a\0Main"),
                    TEXTS("JAVA_TOOL_OPTIONS=-Dotel.service.name=b"), "b");
}

static void options_of_a_variable_are_words_as_the_jvm_splits_them(void)
{
    check_arguments(TEXTS("java\0Main"), TEXTS("JAVA_TOOL_OPTIONS=-Xmx1g\n-Dotel.service.name=shop\t-Da=b"), "shop");
    check_arguments(TEXTS("java\0Main"), TEXTS("JAVA_TOOL_OPTIONS=-Dotel.service.name=\"my shop\" -Da=b"), "my shop");
    check_arguments(TEXTS("java\0Main"), TEXTS("JAVA_TOOL_OPTIONS='-Dotel.service.name=my shop'"), "my shop");
}

static void a_choice_is_a_word(void)
{
    char got[SERVICE_CHOICE_MAX] = "";
    CHECK(service_choice_in_environment(TEXTS("A=1\0SMOLDER_PROFILING=off\0B=2"), got));
    CHECK_STR(got, "off");
    CHECK(!service_choice_in_environment(TEXTS("SMOLDER_PROFILING="), got));
    CHECK(!service_choice_in_environment(TEXTS("SMOLDER_PROFILING=a b"), got));
    CHECK(!service_choice_in_environment(TEXTS("SMOLDER_PROFILING=0123456789abcdef"), got));
    CHECK(!service_choice_in_environment(TEXTS("XSMOLDER_PROFILING=off"), got));
}

static struct buf attribute(const char *key, const char *value)
{
    struct buf any = BUF_INIT(1024), kv = BUF_INIT(1024);
    wire_bytes(&any, 1, str_of(value));
    wire_bytes(&kv, 1, str_of(key));
    wire_bytes(&kv, 2, buf_slice(&any));
    buf_done(&any);
    return kv;
}

/* A Resource with two attributes. */
static struct buf resource(const char *name)
{
    struct buf version = attribute("service.version", "1"), service = attribute("service.name", name);
    struct buf r = BUF_INIT(4096);
    wire_bytes(&r, 1, buf_slice(&version));
    wire_bytes(&r, 1, buf_slice(&service));
    buf_done(&version);
    buf_done(&service);
    return r;
}

static void both_forms_of_a_payload_are_read(void)
{
    char got[SERVICE_NAME_MAX] = "";
    struct buf r = resource("shop"), context = BUF_INIT(4096);
    wire_bytes(&context, 1, buf_slice(&r));
    CHECK(service_name_in_payload(buf_slice(&r), got));
    CHECK_STR(got, "shop");
    got[0] = '\0';
    CHECK(service_name_in_payload(buf_slice(&context), got));
    CHECK_STR(got, "shop");
    for (size_t n = 0; n + 1 < r.len; n++)
        (void)!service_name_in_payload((struct str){(const char *)r.p, n}, got); /* sanitizers watch */
    CHECK(!service_name_in_payload(STR("\x0a\x7f"), got));
    buf_done(&context);
    buf_done(&r);
}

struct header {
    char signature[8];
    uint32_t version, payload_size;
    uint64_t published_at_ns, payload;
};

static bool note_context(void *arg, struct str path, uint64_t start)
{
    if (start && service_name_is_context(path))
        *(uint64_t *)arg = start;
    return true;
}

/* As an SDK publishes it: a memfd, whose name stays in the maps after its descriptor is closed. */
static void a_process_context_is_found_in_memory(void)
{
    char got[SERVICE_NAME_MAX] = "";
    uint64_t at = 0;
    struct buf r = resource("checkout");
    cleanup_close int fd = memfd_create("OTEL_CTX", MFD_CLOEXEC), mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    CHECK_INT(ftruncate(fd, 4096), 0);
    struct header *h = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK_INT(procfs_maps(getpid(), note_context, &at, NULL), 0);
    CHECK_INT(at, (uintptr_t)h);
    *h = (struct header){"OTEL_CTX", 2, (uint32_t)r.len, 1, (uintptr_t)r.p};
    CHECK(service_name_in_context(mem, at, got));
    CHECK_STR(got, "checkout");
    h->published_at_ns = 0;
    CHECK(!service_name_in_context(mem, at, got));
    h->published_at_ns = 1;
    h->version = 9;
    CHECK(!service_name_in_context(mem, at, got));
    h->version = 2;
    h->payload = 8;
    CHECK(!service_name_in_context(mem, at, got));
    CHECK(!service_name_in_context(-1, at, got));
    munmap(h, 4096);
    buf_done(&r);
}

int main(void)
{
    RUN(the_environment_names_the_service);
    RUN(what_is_no_name_declares_nothing);
    RUN(system_properties_name_the_service);
    RUN(a_system_property_is_the_one_that_the_jvm_has);
    RUN(options_of_a_variable_are_words_as_the_jvm_splits_them);
    RUN(a_choice_is_a_word);
    RUN(both_forms_of_a_payload_are_read);
    RUN(a_process_context_is_found_in_memory);
    return REPORT();
}
