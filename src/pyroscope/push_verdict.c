#include "pyroscope/push_verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

const char *push_result_name(enum push_result r)
{
    static const char *const names[] = {[PUSH_OK] = "ok", [PUSH_RETRY] = "retry", [PUSH_REJECTED] = "rejected"};
    return names[r];
}

static const char *push_verdict_find(struct str text, const char *part)
{
    return memmem(text.p, text.n, part, strlen(part));
}

/* --- limits --- */

/* The number behind the last "limit" of the text: what precedes it may quote labels. */
static int64_t push_limit_number(struct str text)
{
    const char *at = NULL, *end = text.p + text.n;
    for (const char *p = text.p; (p = push_verdict_find((struct str){p, (size_t)(end - p)}, "limit")); p += 5)
        at = p + 5;
    while (at && at < end && (*at == ':' || *at == ' '))
        at++;
    int64_t n = 0;
    for (; at && at < end && *at >= '0' && *at <= '9' && n < INT64_MAX / 16; at++)
        n = n * 10 + (*at - '0');
    return n;
}

struct push_limit push_limit_of(struct str reason)
{
    static const struct {
        const char *part;
        enum push_limit_kind kind;
        bool has_number;
    } known[] = {
        {"max_profile_stacktrace_samples, actual:", PUSH_LIMIT_SAMPLES, true},
        {"max_profile_size_byte", PUSH_LIMIT_BYTES, true},
        {"uncompressed profile payload size exceeds limit", PUSH_LIMIT_BYTES, false},
        {" label names; limit ", PUSH_LIMIT_LABELS, true},
        {" has label value too long: ", PUSH_LIMIT_LABEL_VALUE, false},
        {"push rate limit (", PUSH_LIMIT_RATE, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (push_verdict_find(reason, known[i].part))
            return (struct push_limit){known[i].kind, known[i].has_number ? push_limit_number(reason) : 0};
    }
    return (struct push_limit){PUSH_LIMIT_NONE, 0};
}

/* --- texts --- */

void push_verdict_shorten(struct str text, char *out, size_t room)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n && n + 1 < room; i++) {
        const struct str rest = {text.p + i, text.n - i};
        const char *end = str_has_prefix(rest, STR("'{")) ? push_verdict_find(rest, "}'") : NULL;
        if (end) {
            n += (size_t)snprintf(out + n, room - n, "'{…}'");
            n = n < room ? n : room - 1;
            i = (size_t)(end - text.p) + 1;
            continue;
        }
        out[n++] = text.p[i];
    }
    str_one_line((struct str){out, n}, out, room);
}

/* --- verdicts --- */

/* Codes of connectrpc.com/docs/protocol, "Error Codes". */
static bool push_verdict_result(struct str reason, bool retry_429, enum push_result *ret)
{
    static const struct {
        const char *code;
        enum push_result result;
    } codes[] = {
        {"canceled: ", PUSH_RETRY},           {"unknown: ", PUSH_RETRY},
        {"deadline_exceeded: ", PUSH_RETRY},  {"aborted: ", PUSH_RETRY},
        {"internal: ", PUSH_RETRY},           {"unavailable: ", PUSH_RETRY},
        {"data_loss: ", PUSH_RETRY},          {"invalid_argument: ", PUSH_REJECTED},
        {"not_found: ", PUSH_REJECTED},       {"already_exists: ", PUSH_REJECTED},
        {"out_of_range: ", PUSH_REJECTED},    {"failed_precondition: ", PUSH_REJECTED},
        {"unimplemented: ", PUSH_REJECTED},   {"permission_denied: ", PUSH_REJECTED},
        {"unauthenticated: ", PUSH_REJECTED},
    };
    if (str_has_prefix(reason, STR("resource_exhausted: "))) {
        *ret = retry_429 ? PUSH_RETRY : PUSH_REJECTED;
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (str_has_prefix(reason, str_of(codes[i].code))) {
            *ret = codes[i].result;
            return true;
        }
    }
    return false;
}

/* What follows "ID failed: ", up to the next error. */
static bool push_verdict_of(struct str message, struct str id, struct str *ret)
{
    static const char next[] = "; push series with index ";
    cleanup_free char *wanted = xasprintf(" and id %.*s failed: ", STR_ARG(id));
    const char *at = id.n ? push_verdict_find(message, wanted) : NULL;
    if (!at)
        return false;
    at += strlen(wanted);
    struct str rest = {at, (size_t)(message.p + message.n - at)};
    const char *end = push_verdict_find(rest, next);
    if (end)
        rest.n = (size_t)(end - at);
    *ret = rest;
    return true;
}

bool push_verdicts_read(struct str message, enum push_result whole, bool retry_429, const struct str *ids, size_t n,
                        struct push_verdict *ret)
{
    bool named = false;
    for (size_t i = 0; i < n; i++) {
        struct str reason;
        ret[i] = (struct push_verdict){.result = PUSH_OK};
        if (!push_verdict_of(message, ids[i], &reason))
            continue;
        named = true;
        ret[i].result = whole;
        (void)push_verdict_result(reason, retry_429, &ret[i].result);
        ret[i].limit = push_limit_of(reason);
        push_verdict_shorten(reason, ret[i].reason, sizeof ret[i].reason);
    }
    return named;
}
