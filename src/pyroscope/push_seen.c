#include "pyroscope/push_seen.h"

#include "base/hash.h"

/* 0 = the profile has no identity. */
static uint64_t push_seen_key(const struct series *series, size_t at)
{
    if (!series->ids || series->ids[at].n < PUSH_SEEN_ID_MIN)
        return 0;
    uint64_t key = hash_bytes(series->ids[at].p, series->ids[at].n);
    for (size_t i = 0; i < series->label_count; i++) {
        const struct label *l = &series->labels[i];
        key = key * 31 + hash_bytes(l->name.p, l->name.n) * 7 + hash_bytes(l->value.p, l->value.n);
    }
    return key ? key : 1;
}

static bool push_seen_has(const struct push_seen *s, uint64_t key)
{
    uint64_t value;
    return key && (u64map_get(&s->recent, key, &value) || u64map_get(&s->older, key, &value));
}

size_t push_seen_filter(const struct push_seen *s, struct push_message *m)
{
    size_t gone = 0, kept_series = 0;
    for (size_t i = 0; i < m->series_count; i++) {
        struct series *series = &m->series[i];
        /* The message's own arrays, in its arena. */
        struct str *profiles = (struct str *)series->profiles, *ids = (struct str *)series->ids;
        size_t kept = 0;
        for (size_t k = 0; k < series->profile_count; k++) {
            if (push_seen_has(s, push_seen_key(series, k)))
                continue;
            profiles[kept] = profiles[k];
            if (ids)
                ids[kept] = ids[k];
            kept++;
        }
        gone += series->profile_count - kept;
        series->profile_count = kept;
        if (kept)
            m->series[kept_series++] = *series;
    }
    m->series_count = kept_series;
    return gone;
}

void push_seen_add(struct push_seen *s, const struct push_message *m)
{
    for (size_t i = 0; i < m->series_count; i++) {
        for (size_t k = 0; k < m->series[i].profile_count; k++) {
            const uint64_t key = push_seen_key(&m->series[i], k);
            if (s->recent.len >= PUSH_SEEN_MAX) {
                u64map_done(&s->older);
                s->older = s->recent;
                s->recent = U64MAP_INIT;
            }
            if (key)
                u64map_put(&s->recent, key, 1);
        }
    }
}

void push_seen_done(struct push_seen *s)
{
    u64map_done(&s->recent);
    u64map_done(&s->older);
    *s = PUSH_SEEN_INIT;
}
