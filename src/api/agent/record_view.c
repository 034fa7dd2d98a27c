#include "api/agent/record_view.h"

#include <errno.h>

#include "api/page/flame_json.h"
#include "base/json.h"
#include "pprof/decode.h"
#include "pprof/flame.h"

/* What a conversion may make is smaller (pprof/limits.h). */
enum { RECORD_SYMBOLS_MAX = 64 << 20, RECORD_PROFILE_MAX = 64 << 20 };

static void record_view_fill(const struct profile *p, size_t type, struct flame *f)
{
    cleanup_flame_frames struct flame_frames frames = {0};
    for (size_t i = 0; i < p->sample_count; i++) {
        const int64_t value = profile_values(p, i)[type];
        if (value > 0)
            flame_add(f, flame_stack(f, &frames, 0, p->symbols, p->samples[i].stack), value);
    }
    flame_finish(f);
}

static void record_view_put(const struct profile *p, size_t type, struct buf *out)
{
    cleanup_flame struct flame f;
    flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    record_view_fill(p, type, &f);
    buf_puts(out, type ? ",{\"sample_type\":" : "{\"sample_type\":");
    json_string(out, p->symbols->strings[p->types[type].type]);
    buf_puts(out, ",\"unit\":");
    json_string(out, p->symbols->strings[p->types[type].unit]);
    buf_printf(out, ",\"total\":%lld,\"node_count\":%zu,\"truncated\":%s,", (long long)f.nodes[0].total, f.node_count,
               f.truncated ? "true" : "false");
    flame_json_put(&(struct flame_json){.flame = &f, .nodes = RECORD_VIEW_NODES, .top = true}, out);
    buf_byte(out, '}');
}

static int record_view_one(const struct parser_item *item, struct buf *out, struct err *err)
{
    struct symbols symbols;
    struct profile p;
    symbols_init(&symbols, RECORD_SYMBOLS_MAX);
    const int code = pprof_decode(item->bytes.p, item->bytes.n, RECORD_PROFILE_MAX, &symbols, &p, err);
    if (code == 0) {
        buf_byte(out, '[');
        for (size_t i = 0; i < p.type_count; i++)
            record_view_put(&p, i, out);
        buf_byte(out, ']');
        profile_done(&p);
    }
    symbols_done(&symbols);
    return code;
}

static int record_view_serve(const struct parser_item *items, size_t n, struct buf *out, struct err *err)
{
    return n == 1 ? record_view_one(items, out, err) : err_set(err, -EINVAL, "one profile at a time");
}

const struct parser_service record_view_service = {"record.view", record_view_serve};

int record_view_check(void *arg, size_t n, struct str answer, struct err *err)
{
    (void)arg;
    if (n == 1 && answer.n >= 2 && answer.p[0] == '[' && answer.p[answer.n - 1] == ']')
        return 0;
    return err_set(err, -EBADMSG, "no graphs");
}
