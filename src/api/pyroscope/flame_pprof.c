#include "api/pyroscope/flame_pprof.h"

#include "api/pyroscope/flame_levels.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/wire.h"
#include "pprof/encode.h"
#include "store/flame_profile.h"

enum { FIELD_DEFAULT_SAMPLE_TYPE = 14 };

/* By node: whether it is drawn where that many are; to be freed. */
static bool *flame_pprof_keep(const struct flame *f, size_t nodes)
{
    cleanup_flame_levels struct flame_levels levels = {0};
    bool *keep = xcalloc(f->node_count, sizeof *keep);
    flame_levels_init(&levels, f, nodes);
    for (uint32_t i = 0; i < f->node_count; i++)
        keep[i] = flame_levels_keeps(&levels, i);
    return keep;
}

static bool flame_pprof_is_empty(const struct flame *f)
{
    for (size_t i = 0; i < f->node_count; i++)
        if (f->nodes[i].self > 0)
            return false;
    return true;
}

int flame_pprof_put(const struct flame *f, const struct flame_pprof *how, struct buf *out, struct err *err)
{
    if (flame_pprof_is_empty(f))
        return 0;
    cleanup_free bool *keep = how->nodes ? flame_pprof_keep(f, how->nodes) : NULL;
    cleanup_symbols struct symbols symbols;
    cleanup_profile struct profile p;
    symbols_init(&symbols, FLAME_PROFILE_SYMBOLS_MAX);
    const int code = flame_profile(f,
                                   &(struct flame_profile){.type = how->type,
                                                           .time_ns = how->time_ns,
                                                           .duration_ns = how->duration_ns,
                                                           .period = how->period,
                                                           .leaf_frames = how->leaf_frames,
                                                           .leaf_without_line = how->leaf_without_line,
                                                           .keep = keep},
                                   &symbols, &p, err);
    if (code < 0)
        return code;
    pprof_encode(&p, out);
    /* The first string behind "" is that of the sample type (pprof/encode.h). */
    wire_number(out, FIELD_DEFAULT_SAMPLE_TYPE, p.types[0].type ? 1 : 0);
    return 0;
}
