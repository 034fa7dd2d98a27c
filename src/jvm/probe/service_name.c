#include "jvm/probe/service_name.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/wire.h"
#include "jvm/probe/command_line.h"

enum { CONTEXT_VERSION = 2, CONTEXT_TRIES = 3, SERVICE_PROPERTY_MAX = 4096 };

/* As it lies in memory; all builds of HotSpot for Linux are of 64-bit little-endian machines. */
struct context_header {
    char signature[8];
    uint32_t version, payload_size;
    uint64_t published_at_ns, payload;
};

/* --- what counts as a name --- */

static bool service_name_take(struct str name, char ret[SERVICE_NAME_MAX])
{
    name = str_trim(name);
    if (!name.n || name.n >= SERVICE_NAME_MAX || str_has_prefix(name, STR("unknown_service")))
        return false;
    for (struct str rest = name; rest.n;) {
        uint32_t rune;
        const size_t n = str_rune(rest, &rune);
        if (!n || rune_is_control(rune))
            return false;
        rest = (struct str){rest.p + n, rest.n - n};
    }
    memcpy(ret, name.p, name.n);
    ret[name.n] = '\0';
    return true;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* Percent-encoding undone; what is none of it stays. */
static bool service_name_take_encoded(struct str text, char ret[SERVICE_NAME_MAX])
{
    char plain[SERVICE_NAME_MAX * 3];
    size_t n = 0;
    if (text.n > sizeof plain)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        const int high = text.p[i] == '%' && i + 2 < text.n ? hex_digit(text.p[i + 1]) : -1;
        const int low = high < 0 ? -1 : hex_digit(text.p[i + 2]);
        plain[n++] = low < 0 ? text.p[i] : (char)(high << 4 | low);
        i += low < 0 ? 0 : 2;
    }
    return service_name_take((struct str){plain, n}, ret);
}

/* "service.version=1,service.name=shop" */
static bool service_name_in_attributes(struct str attributes, char ret[SERVICE_NAME_MAX])
{
    static const struct str key = {"service.name=", sizeof "service.name=" - 1};
    for (struct str pair; str_split(&attributes, ',', &pair);) {
        pair = str_trim(pair);
        if (str_has_prefix(pair, key))
            return service_name_take_encoded((struct str){pair.p + key.n, pair.n - key.n}, ret);
    }
    return false;
}

/* --- the environment and the arguments --- */

/* What stands behind `name` in the first of `texts`, each ended by `end`, that begins with it. */
static bool service_name_value(struct str texts, char end, const char *name, struct str *ret)
{
    const struct str prefix = str_of(name);
    for (struct str text; str_split(&texts, end, &text);) {
        if (str_has_prefix(text, prefix)) {
            *ret = (struct str){text.p + prefix.n, text.n - prefix.n};
            return true;
        }
    }
    return false;
}

bool service_name_in_environment(struct str environment, char ret[SERVICE_NAME_MAX])
{
    struct str value;
    if (service_name_value(environment, '\0', "OTEL_SERVICE_NAME=", &value) && service_name_take(value, ret))
        return true;
    return service_name_value(environment, '\0', "OTEL_RESOURCE_ATTRIBUTES=", &value) &&
           service_name_in_attributes(value, ret);
}

bool service_choice_in_environment(struct str environment, char ret[SERVICE_CHOICE_MAX])
{
    struct str value;
    if (!service_name_value(environment, '\0', "SMOLDER_PROFILING=", &value) || !value.n ||
        value.n >= SERVICE_CHOICE_MAX)
        return false;
    for (size_t i = 0; i < value.n; i++) {
        const char c = value.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
            return false;
    }
    memcpy(ret, value.p, value.n);
    ret[value.n] = '\0';
    return true;
}

/* A system property in the order in which the JVM sets it: the last one counts. */
struct service_property {
    const char *option; /* "-Dotel.service.name=" */
    struct str value;
    char text[SERVICE_PROPERTY_MAX];
};

static void service_property_note(struct service_property *p, struct str option)
{
    const size_t n = strlen(p->option);
    if (!str_has_prefix(option, str_of(p->option)))
        return;
    const size_t len = option.n - n;
    p->value = (struct str){p->text, len <= sizeof p->text ? len : 0}; /* a longer one is no name */
    memcpy(p->text, option.p + n, p->value.n);
}

static void service_property_in_variable(struct service_property *p, struct str environment, const char *name)
{
    char word[SERVICE_PROPERTY_MAX + 64];
    struct str options = {0};
    if (service_name_value(environment, '\0', name, &options))
        for (struct str option; command_line_word(&options, word, sizeof word, &option);)
            service_property_note(p, option);
}

static struct str service_property_find(struct service_property *p, const char *option, struct str cmdline,
                                        struct str environment)
{
    *p = (struct service_property){.option = option};
    service_property_in_variable(p, environment, "JAVA_TOOL_OPTIONS=");
    if (command_line_is_java(cmdline))
        service_property_in_variable(p, environment, "JDK_JAVA_OPTIONS=");
    struct str options = command_line_options(cmdline);
    for (struct str arg; str_split(&options, '\0', &arg);)
        service_property_note(p, arg);
    service_property_in_variable(p, environment, "_JAVA_OPTIONS=");
    return p->value;
}

bool service_name_in_arguments(struct str cmdline, struct str environment, char ret[SERVICE_NAME_MAX])
{
    struct service_property p;
    return service_name_take(service_property_find(&p, "-Dotel.service.name=", cmdline, environment), ret) ||
           service_name_in_attributes(service_property_find(&p, "-Dotel.resource.attributes=", cmdline, environment),
                                      ret);
}

/* --- the process context --- */

bool service_name_is_context(struct str path)
{
    return str_has_prefix(path, STR("/memfd:OTEL_CTX")) || str_has_prefix(path, STR("[anon_shmem:OTEL_CTX]")) ||
           str_has_prefix(path, STR("[anon:OTEL_CTX]"));
}

/* AnyValue.string_value is field 1. */
static struct str context_text(struct str value)
{
    struct wire_reader r = wire_reader_of(value);
    for (struct wire_field f; wire_next(&r, &f);)
        if (f.number_of == 1 && f.type == WIRE_BYTES)
            return f.bytes;
    return (struct str){0};
}

/* KeyValue: key = 1, value = 2. */
static bool context_attribute(struct str attribute, char ret[SERVICE_NAME_MAX])
{
    struct wire_reader r = wire_reader_of(attribute);
    struct str key = {0}, value = {0};
    for (struct wire_field f; wire_next(&r, &f);) {
        if (f.number_of == 1 && f.type == WIRE_BYTES)
            key = f.bytes;
        else if (f.number_of == 2 && f.type == WIRE_BYTES)
            value = f.bytes;
    }
    return !r.bad && str_is(key, "service.name") && service_name_take(context_text(value), ret);
}

/* Resource.attributes and ProcessContext.resource are both field 1: `deeper` says that this one may hold a Resource. */
static bool context_resource(struct str message, bool deeper, char ret[SERVICE_NAME_MAX])
{
    struct wire_reader r = wire_reader_of(message);
    for (struct wire_field f; wire_next(&r, &f);) {
        if (f.number_of != 1 || f.type != WIRE_BYTES)
            continue;
        if (context_attribute(f.bytes, ret))
            return true;
        struct wire_reader inner = wire_reader_of(f.bytes);
        for (struct wire_field g; deeper && wire_next(&inner, &g);)
            if (g.number_of == 1 && g.type == WIRE_BYTES && context_attribute(g.bytes, ret))
                return true;
    }
    return false;
}

bool service_name_in_payload(struct str payload, char ret[SERVICE_NAME_MAX])
{
    return context_resource(payload, true, ret);
}

static bool context_read(int mem, uint64_t at, void *ret, size_t n)
{
    return pread(mem, ret, n, (off_t)at) == (ssize_t)n;
}

bool service_name_in_context(int mem, uint64_t header, char ret[SERVICE_NAME_MAX])
{
    for (unsigned i = 0; i < CONTEXT_TRIES; i++) {
        struct context_header before, after;
        if (!context_read(mem, header, &before, sizeof before) || memcmp(before.signature, "OTEL_CTX", 8) != 0 ||
            before.version != CONTEXT_VERSION || !before.payload_size || before.payload_size > SERVICE_CONTEXT_MAX)
            return false;
        if (!before.published_at_ns)
            continue; /* being written at the moment */
        cleanup_free char *payload = xcalloc(1, before.payload_size);
        if (context_read(mem, before.payload, payload, before.payload_size) &&
            context_read(mem, header, &after, sizeof after) && after.published_at_ns == before.published_at_ns)
            return service_name_in_payload((struct str){payload, before.payload_size}, ret);
    }
    return false;
}
