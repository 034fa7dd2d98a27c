#include "pyroscope/push_json.h"

#include <errno.h>

#include "pyroscope/json_load.h"

static int push_json_bad(struct err *err, const char *what)
{
    return err_set(err, -EINVAL, "unmarshal message: unmarshal into *pushv1.PushRequest: %s", what);
}

/* Value of one base64 digit, standard or URL-safe; negative otherwise. RFC 4648 §4, §5. */
static int push_json_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

static bool push_json_base64(struct arena *a, struct str in, struct str *ret)
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
        int d = push_json_digit(in.p[i]);
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
static json_t *push_json_member(const json_t *object, const char *camel, const char *snake)
{
    json_t *v = json_object_get(object, camel);
    if (!v && snake)
        v = json_object_get(object, snake);
    return json_is_null(v) ? NULL : v;
}

static bool push_json_text(struct arena *a, const json_t *v, struct str *ret)
{
    *ret = STR("");
    if (!v)
        return true;
    if (!json_is_string(v))
        return false;
    *ret = arena_str(a, (struct str){json_string_value(v), json_string_length(v)});
    return ret->p != NULL;
}

static int push_json_decode_labels(struct arena *a, const json_t *json, struct label *labels, struct err *err)
{
    for (size_t i = 0; i < json_array_size(json); i++) {
        const json_t *l = json_array_get(json, i);
        if (!json_is_object(l) || !push_json_text(a, push_json_member(l, "name", NULL), &labels[i].name) ||
            !push_json_text(a, push_json_member(l, "value", NULL), &labels[i].value))
            return push_json_bad(err, "labels: wrong type, or too large");
    }
    return 0;
}

static int push_json_decode_samples(struct arena *a, const json_t *json, struct str *profiles, struct str *ids,
                                    struct err *err)
{
    for (size_t i = 0; i < json_array_size(json); i++) {
        const json_t *sample = json_array_get(json, i), *raw = push_json_member(sample, "rawProfile", "raw_profile");
        struct str coded = {json_string_value(raw), json_string_length(raw)};
        if (!json_is_object(sample) || (raw && !json_is_string(raw)) || !push_json_base64(a, coded, &profiles[i]))
            return push_json_bad(err, "rawProfile: not base64, or too large");
        if (!push_json_text(a, push_json_member(sample, "ID", NULL), &ids[i]))
            return push_json_bad(err, "ID: wrong type, or too large");
    }
    return 0;
}

static int push_json_decode_series(struct arena *a, const json_t *json, struct series *ret, struct err *err)
{
    const json_t *labels = push_json_member(json, "labels", NULL), *samples = push_json_member(json, "samples", NULL);
    if (!json_is_object(json) || (labels && !json_is_array(labels)) || (samples && !json_is_array(samples)))
        return push_json_bad(err, "series: wrong type");
    const size_t label_count = json_array_size(labels), profile_count = json_array_size(samples);
    struct label *into = arena_calloc(a, label_count + 1, sizeof *into);
    struct str *profiles = arena_calloc(a, profile_count + 1, sizeof *profiles);
    struct str *ids = arena_calloc(a, profile_count + 1, sizeof *ids);
    if (!into || !profiles || !ids)
        return push_json_bad(err, "too large");
    int code = push_json_decode_labels(a, labels, into, err);
    if (code == 0)
        code = push_json_decode_samples(a, samples, profiles, ids, err);
    if (code == 0)
        *ret = (struct series){into, label_count, profiles, profile_count, ids};
    return code;
}

static int push_json_decode_request(struct push_message *m, const json_t *json, struct err *err)
{
    const json_t *series = push_json_member(json, "series", NULL);
    if (!json_is_object(json) || (series && !json_is_array(series)))
        return push_json_bad(err, "wrong type");
    size_t n = json_array_size(series);
    int code = push_message_check_count(n, err);
    if (code < 0)
        return code;
    m->series = arena_calloc(&m->arena, n + 1, sizeof *m->series);
    if (!m->series)
        return push_json_bad(err, "too large");
    for (size_t i = 0; i < n; i++) {
        code = push_json_decode_series(&m->arena, json_array_get(series, i), &m->series[i], err);
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
    json_t *json = json_load(body, &why);
    if (!json)
        return push_json_bad(err, why.text);
    int code = push_json_decode_request(m, json, err);
    json_decref(json);
    return code;
}
