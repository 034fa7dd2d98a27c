/* Profiles of OpenTelemetry as a push: those of an exporter's JSON, those of our own encoder, and broken ones. */
#include "pyroscope/otlp_body.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/gzip.h"
#include "pprof/decode.h"
#include "pprof/otlp.h"
#include "pprof/text.h"
#include "pprof_maker.h"
#include "pyroscope/otlp_messages.h"
#include "pyroscope/proto_json_read.h"
#include "pyroscope/push_message.h"
#include "test.h"

enum { MAX = 16 << 20 };
#define SECOND INT64_C(1000000000)
#define NOW    (INT64_C(1700000000) * SECOND)

static struct err error;

static int serve(bool json, bool gzip, struct str body, struct buf *out)
{
    struct otlp_body how;
    memset(&how, 0, sizeof how);
    how.json = json;
    how.gzip = gzip;
    how.now_ns = NOW;
    const struct parser_item item = {{(const char *)&how, sizeof how}, body};
    error = (struct err){0};
    return otlp_body_service.serve(&item, 1, out, &error);
}

static void put_labels(const struct profile *p, size_t sample, struct buf *text)
{
    const struct symbols *s = p->symbols;
    const struct pprof_labels *set = &s->label_sets[p->samples[sample].labels];
    for (uint32_t i = 0; i < set->count; i++)
        buf_printf(text, "%.*s=%.*s ", STR_ARG(s->strings[set->labels[i].key]),
                   STR_ARG(s->strings[set->labels[i].str]));
}

/* "service_name=shop __name__=process_cpu … 1700000000s+10s cpu:nanoseconds/10000000 span_id=… main;work 20 | …" of the
 * push that comes of it. */
static const char *described(struct str push)
{
    static char room[1 << 16];
    struct push_message m = PUSH_MESSAGE_INIT;
    cleanup_buf struct buf text = BUF_INIT(sizeof room - 1);
    CHECK_INT(push_message_decode(&m, push, &error), 0);
    for (size_t i = 0; i < m.series_count; i++) {
        cleanup_symbols struct symbols symbols;
        struct profile p;
        symbols_init(&symbols, MAX);
        const struct str bytes = m.series[i].profiles[0];
        CHECK_INT(pprof_decode(bytes.p, bytes.n, MAX, &symbols, &p, &error), 0);
        buf_puts(&text, i ? "| " : "");
        for (size_t k = 0; k < m.series[i].label_count; k++)
            buf_printf(&text, "%.*s=%.*s ", STR_ARG(m.series[i].labels[k].name), STR_ARG(m.series[i].labels[k].value));
        buf_printf(&text, "%llds+%llds", (long long)(p.time_nanos / SECOND), (long long)(p.duration_nanos / SECOND));
        for (size_t k = 0; k < p.type_count; k++)
            buf_printf(&text, " %.*s:%.*s", STR_ARG(symbols.strings[p.types[k].type]),
                       STR_ARG(symbols.strings[p.types[k].unit]));
        buf_printf(&text, "/%lld ", (long long)p.period);
        for (size_t k = 0; k < p.sample_count; k++)
            put_labels(&p, k, &text);
        pprof_text(&p, PPROF_TEXT_COLLAPSED, &text);
        profile_done(&p);
    }
    push_message_done(&m);
    snprintf(room, sizeof room, "%s", buf_cstr(&text));
    for (char *c = room; *c; c++)
        *c = (char)(*c == '\n' ? ' ' : *c);
    return room;
}

/* Strings: 1 samples, 2 count, 3 cpu, 4 nanoseconds, 5 main, 6 work, 7 Main.java, 8 thread.name, 9 /lib/libz.so,
 * 10 off_cpu. Stacks: 1 work, main; 2 an address. */
#define DICTIONARY                                                                                                     \
    "\"dictionary\":{\"stringTable\":[\"\",\"samples\",\"count\",\"cpu\",\"nanoseconds\",\"main\",\"work\","           \
    "\"Main.java\",\"thread.name\",\"/lib/libz.so\",\"off_cpu\"],"                                                     \
    "\"mappingTable\":[{},{\"filenameStrindex\":9}],"                                                                  \
    "\"functionTable\":[{},{\"nameStrindex\":5,\"filenameStrindex\":7,\"startLine\":\"3\"},{\"nameStrindex\":6}],"     \
    "\"locationTable\":[{},{\"lines\":[{\"functionIndex\":1,\"line\":\"7\"}]},{\"lines\":[{\"functionIndex\":2}]},"    \
    "{\"mappingIndex\":1,\"address\":\"4660\"}],"                                                                      \
    "\"linkTable\":[{},{\"traceId\":\"0102030405060708090A0b0c0d0e0f10\",\"spanId\":\"1112131415161718\"}],"           \
    "\"attributeTable\":[{},{\"keyStrindex\":8,\"value\":{\"stringValue\":\"pool-1\"}},"                               \
    "{\"keyStrindex\":8,\"value\":{\"intValue\":\"7\"}}],"                                                             \
    "\"stackTable\":[{},{\"locationIndices\":[2,1]},{\"locationIndices\":[3]}]}"
#define RESOURCE                                                                                                       \
    "\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"shop\"}},"                   \
    "{\"key\":\"k8s.pod\",\"value\":{\"stringValue\":\"shop-1\"}},{\"key\":\"list\",\"value\":{\"arrayValue\":{}}},"   \
    "{\"key\":\"n\",\"value\":{\"intValue\":\"-3\"}},"                                                                 \
    "{\"keyStrindex\":8,\"value\":{\"stringValueStrindex\":6}}]}"
#define REQUEST(resource, profiles)                                                                                    \
    "{\"resourceProfiles\":[{" resource "\"scopeProfiles\":[{\"scope\":{\"name\":\"x\"},\"profiles\":[" profiles       \
    "]}]}]," DICTIONARY "}"
#define CPU_TYPE                                                                                                       \
    "\"sampleType\":{\"typeStrindex\":1,\"unitStrindex\":2},\"periodType\":{\"typeStrindex\":3,\"unitStrindex\":4},"   \
    "\"period\":\"10000000\",\"timeUnixNano\":\"1700000001000000000\",\"durationNano\":\"10000000000\","

static void check_both(const char *json, const char *want)
{
    cleanup_buf struct buf out = BUF_INIT(MAX), message = BUF_INIT(MAX), again = BUF_INIT(MAX), packed = BUF_INIT(MAX),
                           third = BUF_INIT(MAX);
    CHECK_INT(serve(true, false, str_of(json), &out), 0);
    CHECK_STR(described(buf_slice(&out)), want);
    CHECK_INT(proto_json_read(&otlp_request_message, str_of(json), &message, &error), 0);
    CHECK_INT(serve(false, false, buf_slice(&message), &again), 0);
    CHECK_STR(described(buf_slice(&again)), want);
    CHECK_INT(gzip_deflate(buf_slice(&message), 6, &packed), 0);
    CHECK_INT(serve(false, true, buf_slice(&packed), &third), 0);
    CHECK_STR(described(buf_slice(&third)), want);
}

static void samples_of_cpu_time_are_multiplied_by_the_period(void)
{
    check_both(
        REQUEST(RESOURCE ",", "{" CPU_TYPE "\"samples\":[{\"stackIndex\":1,\"values\":[\"3\",\"1\"]},"
                              "{\"stackIndex\":1,\"timestampsUnixNano\":[\"5\",\"6\"]}]}"),
        "service_name=shop k8s_pod=shop-1 n=-3 thread_name=work __name__=process_cpu __otel__=true __delta__=false "
        "1700000001s+10s cpu:nanoseconds/10000000 main;work 60000000 ");
}

static void links_and_attributes_become_labels_of_samples(void)
{
    check_both(
        REQUEST(RESOURCE ",", "{" CPU_TYPE "\"samples\":[{\"stackIndex\":2,\"values\":[\"1\"],\"linkIndex\":1,"
                              "\"attributeIndices\":[1,2]}]}"),
        "service_name=shop k8s_pod=shop-1 n=-3 thread_name=work __name__=process_cpu __otel__=true __delta__=false "
        "1700000001s+10s cpu:nanoseconds/10000000 thread_name=pool-1 span_id=1112131415161718 "
        "trace_id=0102030405060708090a0b0c0d0e0f10 libz.so+0x1234 10000000 ");
}

static void other_types_are_called_after_their_period_or_themselves(void)
{
    check_both(REQUEST("",
                       "{\"sampleType\":{\"typeStrindex\":10,\"unitStrindex\":4},\"samples\":[{\"stackIndex\":1,"
                       "\"values\":[5]}]},"
                       "{\"sampleType\":{\"typeStrindex\":5,\"unitStrindex\":2},\"periodType\":{\"typeStrindex\":6},"
                       "\"samples\":[{\"stackIndex\":1,\"values\":[5]}]}"),
               "service_name=unknown_service __name__=off_cpu __otel__=true __delta__=false 1700000000s+0s "
               "off_cpu:nanoseconds/0 main;work 5 | service_name=unknown_service __name__=work __otel__=true "
               "__delta__=false 1700000000s+0s main:count/0 main;work 5 ");
    check_both(REQUEST("\"resource\":{\"attributes\":[{\"key\":\"process.executable.name\",\"value\":{\"stringValue\":"
                       "\"/usr/bin/java\"}}]},",
                       "{\"sampleType\":{\"typeStrindex\":5,\"unitStrindex\":2},\"samples\":[{\"values\":[5]}]}"),
               "process_executable_name=/usr/bin/java service_name=unknown_service:java __name__=main __otel__=true "
               "__delta__=false 1700000000s+0s main:count/0 ? 5 ");
}

/* What smolder convert writes. */
static void what_our_encoder_writes_is_read(void)
{
    const struct made_sample samples[] = {{"main;work", {20, 2}, "pool"}, {"main", {10, 1}, NULL}};
    cleanup_buf struct buf pprof =
        make_profile(&(struct made_profile){.types = {{"cpu", "nanoseconds"}, {"n", "count"}},
                                            .period = {"cpu", "nanoseconds"},
                                            .time_ns = NOW + SECOND,
                                            .duration_ns = 2 * SECOND,
                                            .samples = samples,
                                            .n = 2});
    cleanup_symbols struct symbols symbols;
    struct profile p;
    cleanup_buf struct buf message = BUF_INIT(MAX), out = BUF_INIT(MAX);
    symbols_init(&symbols, MAX);
    CHECK_INT(pprof_decode((const char *)pprof.p, pprof.len, MAX, &symbols, &p, &error), 0);
    otlp_encode(&(struct otlp_profile){&p, -1}, 1, &message);
    CHECK_INT(serve(false, false, buf_slice(&message), &out), 0);
    CHECK_STR(described(buf_slice(&out)),
              "service_name=unknown_service __name__=cpu __otel__=true __delta__=false 1700000001s+2s "
              "cpu:nanoseconds/10000000 thread_name=pool main 10 main;work 20 | "
              "service_name=unknown_service __name__=cpu __otel__=true __delta__=false 1700000001s+2s "
              "n:count/10000000 thread_name=pool main 1 main;work 2 ");
    profile_done(&p);
}

static void what_is_missing_is_said(void)
{
    static const struct {
        const char *json, *want;
    } cases[] = {
        {"{}", "missing profile metadata dictionary"},
        {"{\"dictionary\":{}}", "missing resource profiles"},
        {"{\"resourceProfiles\":[{}]}", "missing profile metadata dictionary"},
        {REQUEST("", "{\"samples\":[{\"values\":[1]}]}"), "a profile without sample type"},
        {REQUEST("", "{" CPU_TYPE "\"samples\":[{\"values\":[\"9223372036854775807\"]}]}"), "a value is too large"},
        {"[]", "not an object"},
        {"{\"resourceProfiles\":7}", "invalid value for field resourceProfiles"},
        {"nonsense", "v1development.ExportProfilesServiceRequest"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_buf struct buf out = BUF_INIT(MAX);
        CHECK_INT(serve(true, false, str_of(cases[i].json), &out), -EINVAL);
        CHECK_HAS(error.text, cases[i].want);
    }
}

static void profiles_without_samples_are_left_out(void)
{
    cleanup_buf struct buf out = BUF_INIT(MAX);
    CHECK_INT(
        serve(true, false, STR(REQUEST("", "{" CPU_TYPE "\"samples\":[{\"values\":[-4]},{\"values\":[0]},{}]}")), &out),
        0);
    CHECK_INT(out.len, 0);
}

/* Indices far beyond the tables, a request cut at every byte, and one byte changed. */
static void broken_requests_do_no_harm(void)
{
    static const char json[] =
        REQUEST(RESOURCE ",",
                "{" CPU_TYPE "\"samples\":[{\"stackIndex\":99,\"values\":[\"1\"],\"linkIndex\":-1,"
                "\"attributeIndices\":[2147483647]},{\"stackIndex\":1,\"values\":[2],\"attributeIndices\":[1]}]}");
    cleanup_buf struct buf message = BUF_INIT(MAX);
    CHECK_INT(proto_json_read(&otlp_request_message, str_of(json), &message, &error), 0);
    for (size_t n = 0; n < message.len; n++) {
        cleanup_buf struct buf out = BUF_INIT(MAX);
        (void)serve(false, false, (struct str){(const char *)message.p, n}, &out);
        CHECK(buf_ok(&out));
    }
    for (size_t n = 0; n < message.len; n++) {
        cleanup_buf struct buf out = BUF_INIT(MAX);
        const uint8_t kept = message.p[n];
        message.p[n] ^= 0x55;
        (void)serve(false, false, buf_slice(&message), &out);
        message.p[n] = kept;
    }
}

int main(void)
{
    RUN(samples_of_cpu_time_are_multiplied_by_the_period);
    RUN(links_and_attributes_become_labels_of_samples);
    RUN(other_types_are_called_after_their_period_or_themselves);
    RUN(what_our_encoder_writes_is_read);
    RUN(what_is_missing_is_said);
    RUN(profiles_without_samples_are_left_out);
    RUN(broken_requests_do_no_harm);
    return REPORT();
}
