#include "api/push_json.h"

#include <errno.h>
#include <jansson.h>

static int bad_json(struct err *err, const char *what)
{
    return err_set(err, -EINVAL, "unmarshal message: unmarshal into *pushv1.PushRequest: %s", what);
}

/* Value of one base64 digit, standard or URL-safe; negative otherwise. RFC 4648 §4, §5. */
static int digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

static bool base64(struct arena *a, struct str in, struct str *ret)
{
    while (in.n && in.p[in.n - 1] == '=')
        in.n--;
    if (in.n % 4 == 1)
        return false;
    uint8_t *out = arena_alloc(a, in.n / 4 * 3 + 3);
    if (!out)
        return false;
    size_t n = 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < in.n; i++) {
        int d = digit(in.p[i]);
        if (d < 0)
            return false;
        bits = bits << 6 | (uint32_t)d;
        if (i % 4 == 0)
            continue;
        unsigned spare = 6 - 2 * (unsigned)(i % 4);
        out[n++] = (uint8_t)(bits >> spare);
    }
    *ret = (struct str){(const char *)out, n};
    return true;
}

/* Both spellings of a name are legal on input; null is unset. */
static json_t *member(const json_t *object, const char *camel, const char *snake)
{
    json_t *v = json_object_get(object, camel);
    if (!v && snake)
        v = json_object_get(object, snake);
    return json_is_null(v) ? NULL : v;
}

static bool text(struct arena *a, const json_t *v, struct str *ret)
{
    *ret = STR("");
    if (!v)
        return true;
    if (!json_is_string(v))
        return false;
    *ret = arena_str(a, (struct str){json_string_value(v), json_string_length(v)});
    return ret->p != NULL;
}

static int decode_series(struct push_message *m, const json_t *json, struct store_series *ret, struct err *err)
{
    const json_t *labels = member(json, "labels", NULL), *samples = member(json, "samples", NULL);
    if (!json_is_object(json) || (labels && !json_is_array(labels)) || (samples && !json_is_array(samples)))
        return bad_json(err, "series: wrong type");
    struct store_series s = {.label_count = json_array_size(labels), .profile_count = json_array_size(samples)};
    s.labels = arena_calloc(&m->arena, s.label_count + 1, sizeof *s.labels);
    s.profiles = arena_calloc(&m->arena, s.profile_count + 1, sizeof *s.profiles);
    if (!s.labels || !s.profiles)
        return bad_json(err, "too large");
    for (size_t i = 0; i < s.label_count; i++) {
        const json_t *l = json_array_get(labels, i);
        if (!json_is_object(l) || !text(&m->arena, member(l, "name", NULL), &s.labels[i].name) ||
            !text(&m->arena, member(l, "value", NULL), &s.labels[i].value))
            return bad_json(err, "labels: wrong type, or too large");
    }
    for (size_t i = 0; i < s.profile_count; i++) {
        const json_t *sample = json_array_get(samples, i), *raw = member(sample, "rawProfile", "raw_profile");
        struct str coded = {json_string_value(raw), json_string_length(raw)};
        if (!json_is_object(sample) || (raw && !json_is_string(raw)) || !base64(&m->arena, coded, &s.profiles[i]))
            return bad_json(err, "rawProfile: not base64, or too large");
    }
    *ret = s;
    return 0;
}

static int decode(struct push_message *m, const json_t *json, struct err *err)
{
    const json_t *series = member(json, "series", NULL);
    if (!json_is_object(json) || (series && !json_is_array(series)))
        return bad_json(err, "wrong type");
    size_t n = json_array_size(series);
    if (n > PUSH_SERIES_MAX)
        return err_set(err, -EINVAL, "%zu series in one push; limit %d", n, PUSH_SERIES_MAX);
    m->series = arena_calloc(&m->arena, n + 1, sizeof *m->series);
    if (!m->series)
        return bad_json(err, "too large");
    for (size_t i = 0; i < n; i++) {
        int code = decode_series(m, json_array_get(series, i), &m->series[i], err);
        if (code < 0)
            return code;
        m->series_count++;
    }
    return push_message_check(m, err);
}

int push_json_decode(struct push_message *m, struct str body, struct err *err)
{
    if (str_trim(body).n == 0)
        return err_set(err, -EINVAL, "unmarshal message: zero-length payload is not a valid JSON object");
    json_error_t why;
    json_t *json = json_loadb(body.p, body.n, JSON_ALLOW_NUL, &why);
    if (!json)
        return bad_json(err, why.text);
    int code = decode(m, json, err);
    json_decref(json);
    return code;
}
