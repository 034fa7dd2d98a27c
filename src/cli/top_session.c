#include "cli/top_session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "lang/quote.h"

enum { MESSAGE_MAX = 1 << 18, NODES = 8192 };

enum { STEP_TYPES, STEP_NEWEST, STEP_SERVICES, STEP_METHODS, STEPS };

static void top_session_step(struct top_session *s);

static int64_t top_session_trend_ms(const struct top_session *s)
{
    return s->range_ms / TOP_TREND;
}

/* ---- questions ---- */

static void top_put_member(struct buf *out, const char *name, struct str text)
{
    json_name(out, name);
    json_string(out, text);
    buf_byte(out, ',');
}

static void top_put_range(struct buf *out, int64_t start_ms, int64_t end_ms)
{
    buf_printf(out, "\"start\":%lld,\"end\":%lld", (long long)start_ms, (long long)end_ms);
}

static void top_session_put_types(struct top_session *s)
{
    const int64_t now = clock_wall_ns() / NS_PER_MS;
    top_put_range(&s->message, now - s->range_ms - TOP_OLD_MS, now);
}

/* A point at t has what is in (t - step, t], so that the first one is a step after the start of the range. */
static void top_session_put_series(struct top_session *s)
{
    const int64_t now = clock_wall_ns() / NS_PER_MS, step = top_session_trend_ms(s);
    const bool recent = s->newest_ms > now - TOP_OLD_MS && s->newest_ms <= now;
    s->next_until_ms = recent ? s->newest_ms : now;
    top_put_member(&s->message, "profileTypeID", str_of(s->type));
    buf_puts(&s->message, "\"labelSelector\":\"{}\",\"groupBy\":[\"service_name\"],\"step\":");
    json_double(&s->message, (double)step / 1000);
    buf_byte(&s->message, ',');
    top_put_range(&s->message, s->next_until_ms - (TOP_TREND - 1) * step, s->next_until_ms);
}

static void top_session_put_merge(struct top_session *s)
{
    cleanup_buf struct buf selector = BUF_INIT(MESSAGE_MAX);
    buf_puts(&selector, "{");
    if (s->service) {
        buf_puts(&selector, "service_name=");
        quote_print(str_of(s->service), &selector);
    }
    buf_puts(&selector, "}");
    top_put_member(&s->message, "profileTypeID", str_of(s->type));
    top_put_member(&s->message, "labelSelector", buf_slice(&selector));
    /* Who does not know the list of functions answers with a flame graph. */
    buf_printf(&s->message, "\"maxNodes\":%d,\"format\":\"PROFILE_FORMAT_FUNCTIONS\",", NODES);
    top_put_range(&s->message, s->next_until_ms - s->range_ms + 1, s->next_until_ms);
}

/* ---- answers ---- */

static int top_session_take_types(struct top_session *s, struct str body, struct err *err)
{
    struct top_types types = {0};
    const char *wanted = s->type ? s->type : s->wanted_type;
    int code = top_types_read(body, &types, err);
    if (code < 0)
        return code;
    top_types_done(&s->types);
    s->types = types;
    if (types.len == 0)
        return err_set(err, -ENOENT, "no profile was stored in the last %lld minutes",
                       (long long)(s->range_ms + TOP_OLD_MS) / 60000);
    const size_t at = top_types_find(&types, wanted);
    if (at == types.len && !s->type)
        return err_set(err, -ENOENT, "there are no profiles of type %s; there are: %s, …", wanted, types.items[0]);
    if (!s->type)
        s->type = xstrdup(types.items[at]);
    return 0;
}

static int top_session_take_services(struct top_session *s, struct str body, struct err *err)
{
    struct top_services services;
    const int code =
        top_services_read(body, s->next_until_ms, top_session_trend_ms(s), top_type_is_gauge(s->type), &services, err);
    if (code < 0)
        return code;
    top_services_done(&s->services);
    s->services = services;
    return 0;
}

static int top_session_take_methods(struct top_session *s, struct str body, struct err *err)
{
    struct top_methods methods;
    const int code = top_methods_read(body, &methods, err);
    if (code < 0)
        return code;
    top_methods_done(&s->methods);
    s->methods = methods;
    top_methods_sort(&s->methods, s->sort);
    s->until_ms = s->next_until_ms;
    return 0;
}

static int top_session_take(struct top_session *s, struct str body, struct err *err)
{
    switch (s->step) {
    case STEP_TYPES:
        return top_session_take_types(s, body, err);
    case STEP_NEWEST:
        return top_newest_read(body, &s->newest_ms, err);
    case STEP_SERVICES:
        return top_session_take_services(s, body, err);
    default:
        return top_session_take_methods(s, body, err);
    }
}

/* ---- a round ---- */

static void top_session_end(struct top_session *s, const struct err *err)
{
    s->asking = false;
    s->problem = *err;
    s->ended(s->arg);
}

static void top_session_on_answer(void *arg, int code, struct str body, const struct err *err)
{
    struct top_session *s = arg;
    struct err why = *err;
    if (code == 0)
        code = top_session_take(s, body, &why);
    if (code < 0 || ++s->step == STEPS)
        top_session_end(s, &why);
    else
        top_session_step(s);
}

static void top_session_step(struct top_session *s)
{
    static const char *const methods[STEPS] = {"ProfileTypes", "GetProfileStats", "SelectSeries",
                                               "SelectMergeStacktraces"};
    struct err err = {0};
    buf_reset(&s->message);
    buf_byte(&s->message, '{');
    if (s->step == STEP_TYPES)
        top_session_put_types(s);
    else if (s->step == STEP_SERVICES)
        top_session_put_series(s);
    else if (s->step == STEP_METHODS)
        top_session_put_merge(s);
    buf_byte(&s->message, '}');
    if (top_server_call(s->server, methods[s->step], buf_slice(&s->message), top_session_on_answer, s, &err) < 0)
        top_session_end(s, &err);
}

void top_session_ask(struct top_session *s)
{
    top_server_cancel(s->server);
    s->asking = true;
    s->step = STEP_TYPES;
    top_session_step(s);
}

/* ---- what is asked for ---- */

void top_session_turn_type(struct top_session *s, int by)
{
    const size_t n = s->types.len, at = s->type ? top_types_find(&s->types, s->type) : n;
    if (n == 0)
        return;
    const size_t next = at == n ? 0 : (at + n + (by < 0 ? n - 1 : 1)) % n;
    free(s->type);
    s->type = xstrdup(s->types.items[next]);
    top_services_done(&s->services);
    top_methods_done(&s->methods);
    s->until_ms = 0;
}

void top_session_select(struct top_session *s, const char *service)
{
    char *copy = service ? xstrdup(service) : NULL;
    free(s->service);
    s->service = copy;
    top_methods_done(&s->methods);
}

void top_session_move(struct top_session *s, int by)
{
    size_t at = 0;
    for (size_t i = 0; s->service && i < s->services.len; i++)
        if (strcmp(s->services.items[i].name, s->service) == 0)
            at = i + 1;
    if ((by < 0 && at == 0) || (by > 0 && at == s->services.len))
        return;
    at = by < 0 ? at - 1 : at + 1;
    top_session_select(s, at ? s->services.items[at - 1].name : NULL);
}

void top_session_sort(struct top_session *s, enum top_sort by)
{
    s->sort = by;
    top_methods_sort(&s->methods, by);
}

/* Methods of a range and services of it were asked for one after the other; and of levels there is a mean. */
static double top_session_scale(const struct top_session *s)
{
    double value = s->service ? 0 : s->services.value;
    for (size_t i = 0; s->service && i < s->services.len; i++)
        if (strcmp(s->services.items[i].name, s->service) == 0)
            value = s->services.items[i].value;
    return s->methods.value > 0 && value > 0 ? value / s->methods.value : 0;
}

void top_session_view(const struct top_session *s, struct top_view *v)
{
    v->server = top_server_name(s->server);
    v->type = s->type ? s->type : "";
    v->service = s->service;
    v->problem = s->problem.text;
    v->until_ms = s->until_ms;
    v->range_ms = s->range_ms;
    v->flame_scale = top_session_scale(s);
    v->sort = s->sort;
}

void top_session_init(struct top_session *s, struct top_server *server, void (*ended)(void *arg), void *arg)
{
    *s = (struct top_session){
        .server = server, .wanted_type = "", .ended = ended, .arg = arg, .message = BUF_INIT(MESSAGE_MAX)};
}

void top_session_done(struct top_session *s)
{
    top_server_close(s->server);
    top_types_done(&s->types);
    top_services_done(&s->services);
    top_methods_done(&s->methods);
    buf_done(&s->message);
    free(s->service);
    free(s->type);
}
