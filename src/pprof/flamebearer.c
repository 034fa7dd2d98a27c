#include "pprof/flamebearer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/mem.h"

/* One side of the picture: a column of the table with its totals. A single picture has one side. */
enum { SIDES = 2 };
struct side {
    size_t column;
    int64_t *total;  /* by node */
    int64_t *x;      /* where the bars of the level at hand begin, by place in the level */
    int64_t *next_x; /* of the level below */
};

struct picture {
    const struct flamebearer *f;
    struct flame *flame;
    struct side sides[SIDES];
    size_t side_count;
};

static int64_t flamebearer_self_of(const struct picture *p, const struct side *s, uint32_t node)
{
    return flame_table_self(p->f->table, node)[s->column];
}

static void flamebearer_side_init(const struct picture *p, struct side *s, size_t column)
{
    size_t n = p->flame->node_count;
    *s = (struct side){.column = column};
    s->total = xcalloc(n, sizeof *s->total);
    s->x = xcalloc(n, sizeof *s->x);
    s->next_x = xcalloc(n, sizeof *s->next_x);
    for (size_t i = n; i-- > 0;) {
        s->total[i] = flame_sum(s->total[i], flamebearer_self_of(p, s, (uint32_t)i));
        uint32_t parent = p->flame->nodes[i].parent;
        if (i > 0)
            s->total[parent] = flame_sum(s->total[parent], s->total[i]);
    }
}

static void side_done(struct side *s)
{
    free(s->total);
    free(s->x);
    free(s->next_x);
}

static void flamebearer_put_levels(const struct picture *p, struct buf *out)
{
    const struct flame_node *nodes = p->flame->nodes;
    cleanup_free uint32_t *level = xcalloc(p->flame->node_count, sizeof *level);
    cleanup_free uint32_t *next = xcalloc(p->flame->node_count, sizeof *next);
    struct side sides[SIDES];
    memcpy(sides, p->sides, sizeof sides);
    for (size_t n = 1, below; n > 0; n = below) {
        int64_t end[SIDES] = {0};
        below = 0;
        buf_puts(out, level[0] ? ",[" : "[");
        for (size_t i = 0; i < n; i++) {
            buf_puts(out, i ? "," : "");
            for (size_t s = 0; s < p->side_count; s++) {
                int64_t total = sides[s].total[level[i]];
                buf_printf(out, "%" PRId64 ",%" PRId64 ",%" PRId64 ",", sides[s].x[i] - end[s], total,
                           flamebearer_self_of(p, &sides[s], level[i]));
                end[s] = flame_sum(sides[s].x[i], total);
            }
            buf_printf(out, "%" PRIu32, nodes[level[i]].name);
            int64_t at[SIDES] = {sides[0].x[i], sides[1].x ? sides[1].x[i] : 0};
            for (uint32_t c = nodes[level[i]].first_child; c; c = nodes[c].next_sibling) {
                if (nodes[c].total == 0)
                    continue;
                next[below] = c;
                for (size_t s = 0; s < p->side_count; s++) {
                    sides[s].next_x[below] = at[s];
                    at[s] = flame_sum(at[s], sides[s].total[c]);
                }
                below++;
            }
        }
        buf_byte(out, ']');
        uint32_t *swap = level;
        level = next;
        next = swap;
        for (size_t s = 0; s < p->side_count; s++) {
            int64_t *x = sides[s].x;
            sides[s].x = sides[s].next_x;
            sides[s].next_x = x;
        }
    }
}

static void flamebearer_put_text(struct buf *out, const char *name, const struct profile *p, uint32_t string)
{
    json_name(out, name);
    json_string(out, p->symbols->strings[string]);
    buf_byte(out, ',');
}

static void flamebearer_put_metadata(const struct picture *pic, struct buf *out)
{
    const struct profile *p = pic->f->p;
    struct pprof_value_type t = p->types[pic->f->column];
    struct str unit = p->symbols->strings[t.unit];
    bool time = str_is(unit, "nanoseconds");
    buf_printf(out, "\"metadata\":{\"format\":\"%s\",\"spyName\":\"smolder\",\"sampleRate\":%s,\"units\":\"%s\",",
               pic->side_count == SIDES ? "double" : "single", time ? "1000000000" : "100",
               time                    ? "samples"
               : str_is(unit, "bytes") ? "bytes"
                                       : "objects");
    json_name(out, "name");
    cleanup_buf struct buf name = BUF_INIT(4096);
    buf_printf(&name, "%s:%.*s", pic->f->name, STR_ARG(p->symbols->strings[t.type]));
    json_string(out, buf_slice(&name));
    buf_byte(out, ',');
    json_name(out, "profile");
    json_string(out, str_of(pic->f->name));
    buf_byte(out, ',');
    flamebearer_put_text(out, "sampleType", p, t.type);
    flamebearer_put_text(out, "unit", p, t.unit);
    buf_printf(out, "\"timeNanos\":%" PRId64 ",\"durationNanos\":%" PRId64 "}", p->time_nanos, p->duration_nanos);
}

static void flamebearer_put_picture(const struct picture *p, struct buf *out)
{
    int64_t most = 0;
    for (uint32_t i = 0; i < p->flame->node_count; i++) {
        for (size_t s = 0; s < p->side_count; s++) {
            int64_t self = flamebearer_self_of(p, &p->sides[s], i);
            most = self > most ? self : most;
        }
    }
    buf_puts(out, "{\"version\":1,\"flamebearer\":{\"names\":[");
    for (size_t i = 0; i < p->flame->name_count; i++) {
        buf_puts(out, i ? "," : "");
        json_string(out, p->flame->names[i]);
    }
    buf_puts(out, "],\"levels\":[");
    flamebearer_put_levels(p, out);
    buf_printf(out, "],\"numTicks\":%" PRId64 ",\"maxSelf\":%" PRId64 "},", p->flame->nodes[0].total, most);
    if (p->side_count == SIDES)
        buf_printf(out, "\"leftTicks\":%" PRId64 ",\"rightTicks\":%" PRId64 ",", p->sides[0].total[0],
                   p->sides[1].total[0]);
    flamebearer_put_metadata(p, out);
    buf_byte(out, '}');
}

void flamebearer_put(const struct flamebearer *f, struct buf *out)
{
    struct picture p = {.f = f, .flame = &f->table->flame, .side_count = f->compare ? SIDES : 1};
    size_t half = f->table->columns / 2;
    flamebearer_side_init(&p, &p.sides[0], f->compare ? f->column + half : f->column);
    if (f->compare)
        flamebearer_side_init(&p, &p.sides[1], f->column);
    for (size_t i = 0; i < p.flame->node_count; i++) {
        p.flame->nodes[i].self = 0;
        for (size_t s = 0; s < p.side_count; s++)
            flame_add(p.flame, (uint32_t)i, flamebearer_self_of(&p, &p.sides[s], (uint32_t)i));
    }
    flame_finish(p.flame);
    flamebearer_put_picture(&p, out);
    side_done(&p.sides[0]);
    side_done(&p.sides[1]);
}
