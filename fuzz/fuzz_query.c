/* Queries from anybody who reaches the port: selectors, requests in protobuf and JSON, times; and bodies of /ingest.
 * The first byte says which. */
#include <stdint.h>
#include <stdlib.h>

#include "base/gzip.h"
#include "pyroscope/ingest_body.h"
#include "pyroscope/query_body.h"
#include "pyroscope/query_messages.h"
#include "pyroscope/query_request.h"
#include "pyroscope/time_text.h"
#include "store/label_selector.h"

enum { ANSWER_MAX = 8 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void select_series(struct str text)
{
    struct err err = {0};
    struct label_list labels = {0};
    cleanup_label_selector struct label_selector s = LABEL_SELECTOR_INIT;
    (void)label_list_add(&labels, STR("service_name"), STR("shop"));
    if (label_selector_add(&s, text, &err) == 0)
        (void)label_selector_matches(&s, &labels);
}

static void read_request(uint32_t call, enum connect_codec codec, struct str body)
{
    struct err err = {0};
    const struct query_body how = {codec, gzip_is(body), call};
    const struct parser_item item = {{(const char *)&how, sizeof how}, body};
    cleanup_buf struct buf out = BUF_INIT(QUERY_REQUEST_MAX);
    cleanup_query_request struct query_request q = QUERY_REQUEST_INIT;
    if (query_body_service.serve(&item, 1, &out, &err) == 0 && buf_ok(&out))
        (void)!query_request_read(&q, query_methods[call].request, buf_slice(&out), &err);
}

static void ingest(enum ingest_format format, bool parts, struct str body)
{
    struct err err = {0};
    const struct ingest_how how = {.format = format, .sample_rate = 100};
    cleanup_buf struct buf head = BUF_INIT(1 << 10), out = BUF_INIT(ANSWER_MAX);
    buf_append(&head, &how, sizeof how);
    buf_puts(&head, parts ? "multipart/form-data; boundary=x" : "");
    const struct parser_item item = {buf_slice(&head), body};
    (void)!ingest_body_service.serve(&item, 1, &out, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const struct str rest = {(const char *)data + 1, size - 1};
    const unsigned what = data[0] % (2 * QUERY_CALLS + 8 + 2);
    if (what < 2 * QUERY_CALLS)
        read_request(what / 2, what % 2 ? CONNECT_JSON : CONNECT_PROTO, rest);
    else if (what < 2 * QUERY_CALLS + 8)
        ingest((what - 2 * QUERY_CALLS) / 2, what % 2, rest);
    else if (what == 2 * QUERY_CALLS + 8)
        select_series(rest);
    else if (time_text_parse(rest, INT64_C(1700000000000000000)) < 0)
        abort();
    return 0;
}
