#include "pyroscope/connect.h"

#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"

static const struct {
    const char *name;
    unsigned status;
} connect_codes[CONNECT_CODES] = {
    [CONNECT_CANCELED] = {"canceled", 499},
    [CONNECT_UNKNOWN] = {"unknown", 500},
    [CONNECT_INVALID_ARGUMENT] = {"invalid_argument", 400},
    [CONNECT_DEADLINE_EXCEEDED] = {"deadline_exceeded", 504},
    [CONNECT_NOT_FOUND] = {"not_found", 404},
    [CONNECT_ALREADY_EXISTS] = {"already_exists", 409},
    [CONNECT_PERMISSION_DENIED] = {"permission_denied", 403},
    [CONNECT_RESOURCE_EXHAUSTED] = {"resource_exhausted", 429},
    [CONNECT_FAILED_PRECONDITION] = {"failed_precondition", 400},
    [CONNECT_ABORTED] = {"aborted", 409},
    [CONNECT_OUT_OF_RANGE] = {"out_of_range", 400},
    [CONNECT_UNIMPLEMENTED] = {"unimplemented", 501},
    [CONNECT_INTERNAL] = {"internal", 500},
    [CONNECT_UNAVAILABLE] = {"unavailable", 503},
    [CONNECT_DATA_LOSS] = {"data_loss", 500},
    [CONNECT_UNAUTHENTICATED] = {"unauthenticated", 401},
};

void connect_error(struct request *rq, enum connect_code code, const char *fmt, ...)
{
    char message[2 * ERR_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    struct buf body = BUF_INIT(16 * sizeof message);
    buf_printf(&body, "{\"code\":\"%s\",\"message\":", connect_codes[code].name);
    json_string(&body, str_of(message));
    buf_byte(&body, '}');
    request_set_header(rq, "Accept-Encoding", "gzip");
    request_reply_buf(rq, connect_codes[code].status, "application/json", &body);
    buf_done(&body);
}

static bool connect_is_word(struct str s, const char *word)
{
    return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

/* "application/json; charset=utf-8" and its simpler forms; NULL for everything else. */
static const char *connect_known_type(const char *header, enum connect_codec *codec)
{
    struct str rest = str_of(header), type, parameter;
    if (!header || !str_split(&rest, ';', &type))
        return NULL;
    bool charset = false;
    while (str_split(&rest, ';', &parameter)) {
        struct str p = str_trim(parameter);
        if (!connect_is_word(p, "charset=utf-8") && !connect_is_word(p, "charset=\"utf-8\""))
            return NULL;
        charset = true;
    }
    type = str_trim(type);
    if (connect_is_word(type, "application/proto")) {
        *codec = CONNECT_PROTO;
        return charset ? "application/proto; charset=utf-8" : "application/proto";
    }
    if (connect_is_word(type, "application/json")) {
        *codec = CONNECT_JSON;
        return charset ? "application/json; charset=utf-8" : "application/json";
    }
    return NULL;
}

static bool connect_check_timeout(struct request *rq)
{
    const char *timeout = request_header(rq, "Connect-Timeout-Ms");
    uint64_t ms;
    if (!timeout || (strlen(timeout) <= 10 && str_to_u64(str_of(timeout), &ms)))
        return true;
    connect_error(rq, CONNECT_INVALID_ARGUMENT, "parse timeout: \"%.64s\" is not a number of at most 10 digits",
                  timeout);
    return false;
}

bool connect_accept(struct request *rq, struct connect_call *ret)
{
    struct connect_call call = {0};
    call.content_type = connect_known_type(request_header(rq, "Content-Type"), &call.codec);
    if (!call.content_type) {
        request_set_header(rq, "Accept-Post", "application/json, application/json; charset=utf-8, application/proto");
        request_reply_static(rq, 415, NULL, STR(""));
        return false;
    }
    const char *version = request_header(rq, "Connect-Protocol-Version");
    if (version && strcmp(version, "1") != 0) {
        connect_error(rq, CONNECT_INVALID_ARGUMENT, "Connect-Protocol-Version must be \"1\": got \"%.64s\"", version);
        return false;
    }
    if (!connect_check_timeout(rq))
        return false;
    const char *coding = request_header(rq, "Content-Encoding");
    call.gzip = coding && strcmp(coding, "gzip") == 0;
    if (coding && *coding && !call.gzip && strcmp(coding, "identity") != 0) {
        connect_error(rq, CONNECT_UNIMPLEMENTED, "unknown compression \"%.64s\": supported encodings are gzip", coding);
        return false;
    }
    *ret = call;
    return true;
}

void connect_reply(struct request *rq, const struct connect_call *call, struct str body)
{
    request_set_header(rq, "Accept-Encoding", "gzip");
    request_reply(rq, 200, call->content_type, body);
}
