#include "api/pyroscope/ingest_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/drain.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/work.h"
#include "parser/parser_batch.h"
#include "pyroscope/ingest_body.h"
#include "pyroscope/ingest_name.h"
#include "pyroscope/multipart.h"
#include "pyroscope/otlp_body.h"
#include "pyroscope/push_message.h"
#include "pyroscope/time_text.h"

enum {
    HTTP_BAD_REQUEST = 400,
    HTTP_TOO_LARGE = 413,
    HTTP_UNSUPPORTED = 415,
    HTTP_UNPROCESSABLE = 422,
    HTTP_INTERNAL = 500,
    HTTP_UNAVAILABLE = 503,
    SAMPLE_RATE = 100,
    SAMPLE_RATE_MAX = 1000000000,
    INGEST_HEAD_MAX = 64 << 10,
};

struct ingest_server {
    struct ingest_server_options options;
    struct drain drain; /* requests */
    size_t bytes;       /* of their bodies */
};

/* Whose errors and answers these are. */
enum ingest_dialect { INGEST_OF_PYROSCOPE, INGEST_OF_OTLP, INGEST_OF_OTLP_JSON };

struct ingest_job {
    uv_work_t work;
    struct ingest_server *server;
    struct request *rq;
    const struct parser_service *service;
    enum ingest_dialect dialect;
    struct buf head; /* of the parser's item */
    uint8_t *body;
    size_t len;
    struct buf decoded; /* a push */
    struct push_message message;
    int code;
    struct err err;
    unsigned endings[PARSER_ENDINGS], set_aside;
};

struct ingest_server *ingest_server_new(const struct ingest_server_options *options)
{
    struct ingest_server *s = xcalloc(1, sizeof *s);
    s->options = *options;
    return s;
}

static void ingest_server_end(struct ingest_server *s)
{
    drain_tell(&s->drain);
    free(s);
}

void ingest_server_close(struct ingest_server *s, void (*closed)(void *arg), void *arg)
{
    if (s && drain_close(&s->drain, closed, arg))
        ingest_server_end(s);
}

/* ---- replies ---- */

static void ingest_reply_error(struct request *rq, unsigned status, const char *why)
{
    struct buf out = BUF_INIT(16 * ERR_MAX);
    buf_printf(&out, "{\"code\":\"%s\",\"message\":", status == HTTP_BAD_REQUEST ? "invalid_argument" : "unknown");
    json_string(&out, str_of(why));
    buf_puts(&out, "}\n");
    if (status == HTTP_UNAVAILABLE)
        request_set_header(rq, "Retry-After", "1");
    request_reply_buf(rq, status, "application/json", &out);
    buf_done(&out);
}

static void ingest_job_free(struct ingest_job *job)
{
    struct ingest_server *s = job->server;
    s->bytes -= job->len;
    push_message_done(&job->message);
    buf_done(&job->head);
    buf_done(&job->decoded);
    free(job->body);
    free(job);
    if (drain_give(&s->drain))
        ingest_server_end(s);
}

/* An empty ExportProfilesServiceResponse: everything was taken. */
static void ingest_accept(struct ingest_job *job)
{
    if (job->dialect == INGEST_OF_OTLP_JSON)
        request_reply_static(job->rq, 200, "application/json", STR("{}"));
    else
        request_reply_static(job->rq, 200, job->dialect == INGEST_OF_OTLP ? "application/x-protobuf" : NULL, STR(""));
    ingest_job_free(job);
}

/* Exporters of OTLP drop what is answered with 400, and send again what is answered with 503. */
static void ingest_server_fail(struct ingest_job *job, unsigned status)
{
    if (job->dialect != INGEST_OF_PYROSCOPE && status == HTTP_UNPROCESSABLE)
        status = HTTP_BAD_REQUEST;
    ingest_reply_error(job->rq, status, job->err.text);
    ingest_job_free(job);
}

static void ingest_on_stored(void *arg, enum store_result result, const struct err *err)
{
    struct ingest_job *job = arg;
    if (result == STORE_OK) {
        ingest_accept(job);
        return;
    }
    job->err = *err;
    ingest_server_fail(job, result == STORE_INVALID || result == STORE_SET_ASIDE ? HTTP_UNPROCESSABLE
                            : result == STORE_BUSY                               ? HTTP_UNAVAILABLE
                                                                                 : HTTP_INTERNAL);
}

/* ---- bodies ---- */

static void ingest_parse(uv_work_t *w)
{
    struct ingest_job *job = w->data;
    const struct parser_item item = {buf_slice(&job->head), {(const char *)job->body, job->len}};
    cleanup_parser_batch struct parser_batch b = {.pool = job->server->options.parsers,
                                                  .service = job->service,
                                                  .items = &item,
                                                  .count = 1,
                                                  .answer_max = SERVER_BODY_MAX};
    struct parser_answer a;
    job->code = parser_batch_next(&b, &a, &job->err);
    memcpy(job->endings, b.endings, sizeof job->endings);
    job->set_aside = b.set_aside;
    if (job->code < 0)
        return;
    job->decoded = b.answer;
    b.answer = BUF_INIT(0);
    if (job->decoded.len)
        job->code = push_message_decode(&job->message, buf_slice(&job->decoded), &job->err);
}

static void ingest_on_parsed(uv_work_t *w, int status)
{
    struct ingest_job *job = w->data;
    (void)status;
    (void)parser_endings_count(job->endings);
    parser_set_aside_count("ingest", job->set_aside);
    if (job->code == -EAGAIN)
        ingest_server_fail(job, HTTP_UNAVAILABLE);
    else if (job->code == -EMSGSIZE || job->code == -E2BIG)
        ingest_server_fail(job, HTTP_TOO_LARGE);
    else if (job->code < 0)
        ingest_server_fail(job, job->code == -ENOMEM ? HTTP_INTERNAL : HTTP_UNPROCESSABLE);
    else if (job->message.series_count == 0)
        ingest_accept(job);
    else if (store_push(job->server->options.store, job->message.series, job->message.series_count,
                        job->decoded.len + job->len, ingest_on_stored, job) < 0) {
        (void)err_set(&job->err, -EAGAIN, "the store's queue is full");
        ingest_server_fail(job, HTTP_UNAVAILABLE);
    }
}

/* ---- parameters ---- */

static struct str ingest_text(const struct request *rq, const char *name)
{
    const char *text = request_query(rq, name);
    return text ? str_of(text) : STR("");
}

static int ingest_format_of(const struct request *rq, enum ingest_format *ret, struct err *err)
{
    const struct str format = ingest_text(rq, "format");
    const char *type = request_header(rq, "Content-Type");
    if (str_is(format, "jfr"))
        *ret = INGEST_JFR;
    else if (str_is(format, "pprof") || (format.n == 0 && multipart_boundary(str_of(type)).n))
        *ret = INGEST_PPROF;
    else if (str_is(format, "lines"))
        *ret = INGEST_LINES;
    else if (format.n == 0 || str_is(format, "folded") || str_is(format, "groups"))
        *ret = INGEST_FOLDED;
    else
        return err_set(err, -EINVAL, "format %.*s is not supported: send folded, lines, pprof or jfr",
                       (int)(format.n < 64 ? format.n : 64), format.p);
    return 0;
}

static void ingest_put_label(struct buf *out, struct str name, struct str value)
{
    buf_str(out, name);
    buf_byte(out, '\0');
    buf_str(out, value);
    buf_byte(out, '\0');
}

/* Labels of the request: the application is the service, unless a label says otherwise. */
static void ingest_put_labels(const struct labels *named, struct str service, struct str spy, struct buf *out)
{
    const bool has_service = labels_get(named, STR("service_name")).n > 0;
    ingest_put_label(out, has_service ? STR("app_name") : STR("service_name"), service);
    ingest_put_label(out, STR("pyroscope_spy"), spy.n ? spy : STR("unknown"));
    for (size_t i = 0; i < labels_len(named); i++) {
        const struct label *l = labels_at(named, i);
        const bool own = str_has_prefix(l->name, STR("__")) || str_is(l->name, "profile_id") ||
                         str_is(l->name, "pyroscope_spy") || (str_is(l->name, "app_name") && has_service);
        if (!own && l->value.n)
            ingest_put_label(out, l->name, l->value);
    }
}

static int ingest_gzip(const struct request *rq, bool *ret, struct err *err)
{
    const char *coding = request_header(rq, "Content-Encoding");
    *ret = coding && strcmp(coding, "gzip") == 0;
    if (coding && *coding && !*ret && strcmp(coding, "identity") != 0)
        return err_set(err, -EINVAL, "Content-Encoding %.64s is not supported", coding);
    return 0;
}

static int ingest_read(const struct request *rq, struct buf *head, struct err *err)
{
    const int64_t now = clock_wall_ns();
    const char *type = request_header(rq, "Content-Type");
    struct ingest_how how = {.from_ns = time_text_parse(ingest_text(rq, "from"), now),
                             .until_ns = time_text_parse(ingest_text(rq, "until"), now),
                             .sample_rate = SAMPLE_RATE};
    struct labels *named = NULL;
    struct err why = {0};
    uint64_t rate;
    int code = ingest_name_parse(ingest_text(rq, "name"), &named, &why);
    if (code < 0)
        return err_set(err, code, "name: %s", why.text);
    if (str_to_u64(ingest_text(rq, "sampleRate"), &rate) && rate && rate <= SAMPLE_RATE_MAX)
        how.sample_rate = (uint32_t)rate;
    struct str service = labels_get(named, STR("__name__"));
    cleanup_buf struct buf labels = BUF_INIT(INGEST_HEAD_MAX);
    code = ingest_format_of(rq, &how.format, err);
    if (code == 0)
        code = ingest_gzip(rq, &how.gzip, err);
    if (code == 0 && (how.format == INGEST_FOLDED || how.format == INGEST_LINES))
        code = ingest_type_of(service, &how.type, &service, err);
    if (code == 0)
        ingest_put_labels(named, service, ingest_text(rq, "spyName"), &labels);
    labels_unref(named);
    how.labels_size = (uint32_t)labels.len;
    buf_append(head, &how, sizeof how);
    buf_str(head, buf_slice(&labels));
    buf_puts(head, type ? type : "");
    return code == 0 && (!buf_ok(&labels) || !buf_ok(head)) ? err_set(err, -EINVAL, "the labels are too large") : code;
}

/* Takes the head. */
static void ingest_server_submit(struct ingest_server *s, struct request *rq, const struct parser_service *service,
                                 enum ingest_dialect dialect, struct buf *head)
{
    if (s->bytes && s->bytes + request_body(rq).n > INGEST_BODIES_MAX) {
        ingest_reply_error(rq, HTTP_UNAVAILABLE, "too many concurrent pushes");
        return;
    }
    struct ingest_job *job = xcalloc(1, sizeof *job);
    *job = (struct ingest_job){.server = s,
                               .rq = rq,
                               .service = service,
                               .dialect = dialect,
                               .head = *head,
                               .message = PUSH_MESSAGE_INIT,
                               .decoded = BUF_INIT(0)};
    *head = BUF_INIT(0);
    job->work.data = job;
    job->body = request_take_body(rq, &job->len);
    s->bytes += job->len;
    drain_take(&s->drain);
    work_queue(s->options.loop, &job->work, ingest_parse, ingest_on_parsed);
}

void ingest_server_handle(struct ingest_server *s, struct request *rq)
{
    cleanup_buf struct buf head = BUF_INIT(2 * INGEST_HEAD_MAX);
    struct err err = {0};
    if (ingest_read(rq, &head, &err) < 0)
        ingest_reply_error(rq, HTTP_BAD_REQUEST, err.text);
    else
        ingest_server_submit(s, rq, &ingest_body_service, INGEST_OF_PYROSCOPE, &head);
}

/* ---- OTLP ---- */

/* Of the collector: messages of another version are not to be read as these. */
#define OTLP_VERSION_HEADER "otlp-profiles-development-version"
#define OTLP_VERSION        "1"

/* Without parameters such as charset. */
static bool ingest_type_is(const char *type, const char *wanted)
{
    const size_t n = strlen(wanted);
    return type && strncasecmp(type, wanted, n) == 0 && (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

void ingest_server_handle_otlp(struct ingest_server *s, struct request *rq)
{
    const char *type = request_header(rq, "Content-Type");
    struct otlp_body how = {.json = ingest_type_is(type, "application/json"), .now_ns = clock_wall_ns()};
    cleanup_buf struct buf head = BUF_INIT(sizeof how);
    struct err err = {0};
    if (!how.json && !ingest_type_is(type, "application/x-protobuf") && !ingest_type_is(type, "application/protobuf")) {
        request_reply_text(rq, HTTP_UNSUPPORTED, "Unsupported Content-Type: %.64s\n", type ? type : "");
        return;
    }
    if (ingest_gzip(rq, &how.gzip, &err) < 0) {
        request_reply_text(rq, HTTP_UNSUPPORTED, "%s\n", err.text);
        return;
    }
    const char *version = request_header(rq, OTLP_VERSION_HEADER);
    if (version && strcmp(version, OTLP_VERSION) != 0) {
        request_reply_text(rq, HTTP_BAD_REQUEST, "unsupported " OTLP_VERSION_HEADER ": it must be " OTLP_VERSION "\n");
        return;
    }
    buf_append(&head, &how, sizeof how);
    ingest_server_submit(s, rq, &otlp_body_service, how.json ? INGEST_OF_OTLP_JSON : INGEST_OF_OTLP, &head);
}
