#include "pyroscope/ingest_body.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "base/wire.h"
#include "jfr/chunks.h"
#include "pprof/decode.h"
#include "pprof/encode.h"
#include "pprof/from_jfr.h"
#include "pprof/proto_fields.h"
#include "pyroscope/ingest_metric.h"
#include "pyroscope/multipart.h"
#include "pyroscope/push_message.h"

enum { INGEST_SYMBOLS_MAX = 64 << 20, INGEST_STACK_MAX = 4096, INGEST_LABELS_MAX = 256 };
static const int64_t year_1971_ns = INT64_C(365) * 86400 * 1000000000;

/* ---- types of stacks ---- */

static const struct {
    const char *name, *metric, *sample, *unit;
    bool timed; /* a sample is a moment of time */
} ingest_types[] = {
    {"cpu", "process_cpu", "cpu", "nanoseconds", true},
    {"itimer", "process_cpu", "cpu", "nanoseconds", true},
    {"wall", "wall", "wall", "nanoseconds", true},
    {"alloc_objects", "memory", "alloc_objects", "count", false},
    {"alloc_space", "memory", "alloc_space", "bytes", false},
    {"inuse_objects", "memory", "inuse_objects", "count", false},
    {"inuse_space", "memory", "inuse_space", "bytes", false},
    {"goroutines", "goroutines", "goroutines", "count", false},
    {"mutex_count", "mutex", "contentions", "count", false},
    {"mutex_duration", "mutex", "delay", "nanoseconds", false},
    {"block_count", "block", "contentions", "count", false},
    {"block_duration", "block", "delay", "nanoseconds", false},
    {"lock_count", "block", "contentions", "count", false},
    {"lock_duration", "block", "delay", "nanoseconds", false},
    {"alloc_in_new_tlab_objects", "memory", "alloc_in_new_tlab_objects", "count", false},
    {"alloc_in_new_tlab_bytes", "memory", "alloc_in_new_tlab_bytes", "bytes", false},
    {"alloc_outside_tlab_objects", "memory", "alloc_outside_tlab_objects", "count", false},
    {"alloc_outside_tlab_bytes", "memory", "alloc_outside_tlab_bytes", "bytes", false},
    {"live", "memory", "live", "count", false},
    {"exceptions", "exceptions", "exceptions", "count", false},
};

int ingest_type_of(struct str application, uint32_t *ret, struct str *service, struct err *err)
{
    const char *dot = application.n ? memrchr(application.p, '.', application.n) : NULL;
    *ret = 0;
    *service = application;
    if (!dot)
        return 0;
    const struct str type = {dot + 1, application.n - (size_t)(dot + 1 - application.p)};
    for (uint32_t i = 0; i < ARRAY_LEN(ingest_types); i++) {
        if (!str_is(type, ingest_types[i].name))
            continue;
        *ret = i;
        *service = (struct str){application.p, (size_t)(dot - application.p)};
        return 0;
    }
    return err_set(err, -EINVAL, "unknown profile type: %.*s", (int)(type.n < 64 ? type.n : 64), type.p);
}

/* ---- the push ---- */

struct ingest_request {
    struct ingest_how how;
    struct label labels[INGEST_LABELS_MAX + 2]; /* room for those that are added */
    size_t label_count;
    struct str content_type;
    struct buf *out;
};

/* One series with one profile. `event` may be "". */
static void ingest_put(struct ingest_request *rq, struct str metric, struct str event, struct str profile)
{
    size_t n = rq->label_count;
    rq->labels[n++] = (struct label){STR("__name__"), metric};
    if (event.n)
        rq->labels[n++] = (struct label){STR("jfr_event"), event};
    const struct series series = {rq->labels, n, &profile, 1, NULL};
    push_message_head(rq->out, &series, 0);
    buf_str(rq->out, profile);
}

/* ---- collapsed stacks ---- */

struct ingest_stacks {
    struct symbols symbols;
    struct profile profile;
    uint32_t locations[INGEST_STACK_MAX];
    int64_t factor; /* of a sample */
};

/* "root;…;leaf". */
static int ingest_stack(struct ingest_stacks *s, struct str text, int64_t value, struct err *err)
{
    struct str name;
    size_t n = 0;
    int64_t weight;
    while (n < INGEST_STACK_MAX && str_split(&text, ';', &name)) {
        const uint32_t string = symbols_string(&s->symbols, name);
        const struct pprof_function f = {.name = string, .system_name = string};
        /* Leaf first, from the end of the array on. */
        s->locations[INGEST_STACK_MAX - ++n] =
            symbols_location(&s->symbols, (struct pprof_location){.function = symbols_function(&s->symbols, f)});
    }
    if (__builtin_mul_overflow(value, s->factor, &weight))
        return err_set(err, -EINVAL, "a value is too large");
    const uint32_t stack = symbols_stack(&s->symbols, &s->locations[INGEST_STACK_MAX - n], n);
    return profile_add(&s->profile, stack, 0, &weight) ? 0 : err_set(err, -E2BIG, "too many different stacks");
}

static int ingest_line(struct ingest_stacks *s, enum ingest_format format, struct str line, struct err *err)
{
    int64_t value = 1;
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    if (format == INGEST_FOLDED) {
        const char *space = line.n ? memrchr(line.p, ' ', line.n) : NULL;
        if (!space)
            return 0;
        const struct str number = {space + 1, line.n - (size_t)(space + 1 - line.p)};
        if (!str_to_i64(number, &value))
            return err_set(err, -EINVAL, "strconv.Atoi: parsing \"%.*s\": invalid syntax",
                           (int)(number.n < 64 ? number.n : 64), number.p);
        line.n = (size_t)(space - line.p);
    }
    return line.n && value > 0 ? ingest_stack(s, line, value, err) : 0;
}

static int ingest_folded(struct ingest_request *rq, struct str body, struct err *err)
{
    const struct ingest_how *how = &rq->how;
    const bool timed = ingest_types[how->type].timed;
    cleanup_free struct ingest_stacks *s = xcalloc(1, sizeof *s);
    struct str line;
    int code = 0;
    symbols_init(&s->symbols, INGEST_SYMBOLS_MAX);
    profile_init(&s->profile, &s->symbols);
    (void)profile_add_type(&s->profile, str_of(ingest_types[how->type].sample), str_of(ingest_types[how->type].unit));
    s->factor = timed ? 1000000000 / (how->sample_rate ? how->sample_rate : 1) : 1;
    if (timed) {
        s->profile.period_type.type = symbols_string(&s->symbols, STR("cpu"));
        s->profile.period_type.unit = symbols_string(&s->symbols, STR("nanoseconds"));
        s->profile.period = s->factor;
    }
    s->profile.time_nanos = how->from_ns;
    s->profile.duration_nanos = how->until_ns > how->from_ns ? how->until_ns - how->from_ns : 0;
    while (code == 0 && body.n && str_split(&body, '\n', &line))
        code = ingest_line(s, how->format, line, err);
    cleanup_buf struct buf pprof = BUF_INIT(rq->out->max);
    if (code == 0 && s->profile.sample_count) {
        pprof_encode(&s->profile, &pprof);
        ingest_put(rq, str_of(ingest_types[how->type].metric), STR(""), buf_slice(&pprof));
    }
    profile_done(&s->profile);
    symbols_done(&s->symbols);
    return code < 0 || buf_ok(&pprof) ? code : err_set(err, -E2BIG, "too many different stacks");
}

/* ---- pprof ---- */

static int ingest_inflate(struct str *bytes, struct buf *room, struct err *err)
{
    if (!gzip_is(*bytes))
        return 0;
    const int code = gzip_inflate(*bytes, room, err);
    *bytes = code < 0 ? *bytes : buf_slice(room);
    return code;
}

/* `config` says what the client calls the sample types, or is "". */
static int ingest_pprof(struct ingest_request *rq, struct str bytes, struct str config, struct err *err)
{
    cleanup_buf struct buf plain = BUF_INIT(INGEST_INFLATED_MAX), timed = BUF_INIT(INGEST_INFLATED_MAX),
                           metric = BUF_INIT(INGEST_SYMBOLS_MAX);
    cleanup_symbols struct symbols symbols;
    struct profile p;
    int code = ingest_inflate(&bytes, &plain, err);
    symbols_init(&symbols, INGEST_SYMBOLS_MAX);
    if (code == 0)
        code = pprof_decode(bytes.p, bytes.n, INGEST_INFLATED_MAX, &symbols, &p, err);
    if (code < 0)
        return code;
    if (p.time_nanos < year_1971_ns) {
        /* Of a field that comes twice the last one counts. */
        buf_str(&timed, bytes);
        wire_number(&timed, PROFILE_TIME_NANOS, (uint64_t)rq->how.from_ns);
        bytes = buf_slice(&timed);
    }
    code = ingest_metric_of(&p, config, &metric, err);
    if (code == 0 && metric.len == 0)
        code = err_set(err, -EINVAL, "a profile without sample types");
    if (code == 0)
        ingest_put(rq, buf_slice(&metric), STR(""), bytes);
    profile_done(&p);
    return code;
}

static int ingest_pprof_parts(struct ingest_request *rq, struct str body, struct err *err)
{
    const struct str boundary = multipart_boundary(rq->content_type);
    struct multipart m = multipart_of(body, boundary);
    struct str name, bytes, profile = STR(""), config = STR("");
    bool found = false;
    if (boundary.n == 0)
        return ingest_pprof(rq, body, config, err);
    while (multipart_next(&m, &name, &bytes)) {
        if (str_is(name, "prev_profile") && bytes.n)
            return err_set(err, -EINVAL,
                           "unsupported client version. Please update github.com/grafana/pyroscope-go to the latest "
                           "version");
        if (str_is(name, "profile")) {
            profile = bytes;
            found = true;
        }
        if (str_is(name, "sample_type_config"))
            config = bytes;
    }
    return found ? ingest_pprof(rq, profile, config, err) : err_set(err, -EINVAL, "no part \"profile\" in the body");
}

/* ---- JFR ---- */

static int ingest_chunks(struct conversion *c, struct str recording, struct err *err)
{
    struct jfr_chunks it = jfr_chunks_of(recording.p, recording.n);
    struct str chunk;
    struct err why = {0};
    int more, code = 0;
    size_t good = 0;
    while ((more = jfr_chunks_next(&it, &chunk, &why)) != 0) {
        code = more > 0 ? conversion_add(c, chunk.p, chunk.n, &why) : more;
        if (more > 0 && code < 0)
            jfr_chunks_refused(&it);
        good += more > 0 && code == 0;
        if (code == -ENOMEM)
            return err_set(err, code, "out of memory");
    }
    return good ? 0 : err_set(err, -EBADMSG, "no JFR chunk can be read: %s", why.code ? why.text : "the body is empty");
}

static int ingest_recording(struct ingest_request *rq, struct str recording, struct str labels, struct err *err)
{
    cleanup_buf struct buf plain = BUF_INIT(INGEST_INFLATED_MAX);
    int code = ingest_inflate(&recording, &plain, err);
    if (code < 0)
        return code;
    struct conversion *c = conversion_new(&(struct conversion_options){
        .event = "", .cpu_ns = 1000000000 / (rq->how.sample_rate ? rq->how.sample_rate : 1), .gzip = true});
    struct pprof_result *results = NULL;
    size_t n = 0;
    conversion_received(c, rq->how.until_ns);
    if (labels.n)
        code = conversion_labels(c, labels, err);
    if (code == 0)
        code = ingest_chunks(c, recording, err);
    if (code == 0)
        code = conversion_finish(c, &results, &n, err);
    for (size_t i = 0; code == 0 && i < n; i++)
        ingest_put(rq, str_of(results[i].name), str_of(results[i].event),
                   (struct str){(const char *)results[i].bytes, results[i].len});
    conversion_free(c);
    return code;
}

static int ingest_jfr(struct ingest_request *rq, struct str body, struct err *err)
{
    const struct str boundary = multipart_boundary(rq->content_type);
    struct multipart m = multipart_of(body, boundary);
    struct str name, bytes, recording = STR(""), labels = STR("");
    if (boundary.n == 0)
        return ingest_recording(rq, body, labels, err);
    while (multipart_next(&m, &name, &bytes)) {
        if (str_is(name, "jfr"))
            recording = bytes;
        else if (str_is(name, "labels"))
            labels = bytes;
    }
    return ingest_recording(rq, recording, labels, err);
}

/* ---- the service ---- */

static bool ingest_read_head(struct ingest_request *rq, struct str head)
{
    if (head.n < sizeof rq->how)
        return false;
    memcpy(&rq->how, head.p, sizeof rq->how);
    struct str rest = {head.p + sizeof rq->how, head.n - sizeof rq->how}, name, value;
    if (rq->how.labels_size > rest.n || rq->how.type >= ARRAY_LEN(ingest_types))
        return false;
    struct str labels = {rest.p, rq->how.labels_size};
    rq->content_type = (struct str){rest.p + labels.n, rest.n - labels.n};
    while (labels.n && rq->label_count < INGEST_LABELS_MAX && str_split(&labels, '\0', &name) &&
           str_split(&labels, '\0', &value))
        rq->labels[rq->label_count++] = (struct label){name, value};
    return true;
}

static int ingest_body_serve(const struct parser_item *items, size_t n, struct buf *out, struct err *err)
{
    cleanup_free struct ingest_request *rq = xcalloc(1, sizeof *rq);
    cleanup_buf struct buf plain = BUF_INIT(INGEST_INFLATED_MAX);
    rq->out = out;
    if (n != 1 || !ingest_read_head(rq, items->head))
        return err_set(err, -EINVAL, "invalid request");
    struct str body = items->bytes;
    if (rq->how.gzip) {
        const int code = gzip_inflate(body, &plain, err);
        if (code < 0)
            return code;
        body = buf_slice(&plain);
    }
    switch (rq->how.format) {
    case INGEST_FOLDED:
    case INGEST_LINES:
        return ingest_folded(rq, body, err);
    case INGEST_PPROF:
        return ingest_pprof_parts(rq, body, err);
    case INGEST_JFR:
        return ingest_jfr(rq, body, err);
    }
    return err_set(err, -EINVAL, "invalid request");
}

const struct parser_service ingest_body_service = {"ingest.body", ingest_body_serve};
