#include "ui/report.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/gzip.h"
#include "base/json.h"
#include "pprof/flame_table.h"
#include "ui/report_heat.h"
#include "ui/ui.h"

enum { GZIP_LEVEL = 6, JSON_MAX = 1 << 30 };
static const char MARK[] = "@DATA@";

static void report_put_types(const struct profile *p, struct buf *out)
{
    for (size_t i = 0; i < p->type_count; i++) {
        buf_puts(out, i ? ",[" : "[");
        json_string(out, p->symbols->strings[p->types[i].type]);
        buf_byte(out, ',');
        json_string(out, p->symbols->strings[p->types[i].unit]);
        buf_byte(out, ']');
    }
}

static void report_put_nodes(const struct flame_table *t, struct buf *out)
{
    const struct flame *f = &t->flame;
    buf_puts(out, "\"names\":[");
    for (size_t i = 0; i < f->name_count; i++) {
        buf_puts(out, i ? "," : "");
        json_string(out, f->names[i]);
    }
    buf_puts(out, "],\"up\":[");
    for (size_t i = 0; i < f->node_count; i++)
        buf_printf(out, "%s%zu", i ? "," : "", i - f->nodes[i].parent);
    buf_puts(out, "],\"node\":[");
    for (size_t i = 0; i < f->node_count; i++)
        buf_printf(out, "%s%" PRIu32, i ? "," : "", f->nodes[i].name);
    buf_puts(out, "],\"self\":[");
    for (size_t k = 0; k < t->columns; k++) {
        buf_puts(out, k ? ",[" : "[");
        for (size_t i = 0; i < f->node_count; i++)
            buf_printf(out, "%s%" PRId64, i ? "," : "", flame_table_self(t, (uint32_t)i)[k]);
        buf_byte(out, ']');
    }
    buf_byte(out, ']');
}

static void report_put_profile(const struct named_profile *n, int64_t heat_ns, struct buf *out)
{
    cleanup_flame_table struct flame_table t;
    flame_table_init(&t, &n->p);
    buf_byte(out, '{');
    json_name(out, "name");
    json_string(out, str_of(n->name));
    buf_puts(out, ",\"types\":[");
    report_put_types(&n->p, out);
    buf_printf(out, "],\"time_ns\":%" PRId64 ",\"duration_ns\":%" PRId64 ",\"truncated\":%s,", n->p.time_nanos,
               n->p.duration_nanos, t.flame.truncated ? "true" : "false");
    report_put_nodes(&t, out);
    cleanup_report_threads struct report_threads threads;
    report_threads_init(&threads, &n->p);
    const bool matter = report_threads_matter(&threads);
    if (matter)
        report_put_threads(&threads, &n->p, &t, out);
    if (heat_ns)
        report_put_heat(&n->p, &t, heat_ns, matter ? &threads : NULL, out);
    buf_byte(out, '}');
}

static void report_put_json(const struct report *r, struct buf *out)
{
    buf_byte(out, '{');
    json_name(out, "title");
    json_string(out, str_of(r->title));
    buf_printf(out, ",\"generator\":\"smolder " SMOLDER_VERSION "\",\"compare\":%s,", r->compare ? "true" : "false");
    json_name(out, "search");
    json_string(out, str_of(r->look.search));
    buf_printf(out, ",\"callers\":%s,\"inverted\":%s,\"profiles\":[", r->look.callers ? "true" : "false",
               r->look.inverted ? "true" : "false");
    for (size_t i = 0; i < r->set->len; i++) {
        buf_puts(out, i ? "," : "");
        report_put_profile(&r->set->items[i], r->look.heat_ns, out);
    }
    buf_puts(out, "]}");
}

int report_put(const struct report *r, struct buf *out, struct err *err)
{
    cleanup_buf struct buf json = BUF_INIT(JSON_MAX), packed = BUF_INIT(JSON_MAX);
    report_put_json(r, &json);
    if (!buf_ok(&json) || gzip_deflate(buf_slice(&json), GZIP_LEVEL, &packed) < 0)
        return err_set(err, -E2BIG, "the flame graphs are larger than %d MiB", JSON_MAX >> 20);
    struct str page = ui_report_page();
    const char *at = memmem(page.p, page.n, MARK, strlen(MARK));
    buf_append(out, page.p, (size_t)(at - page.p));
    buf_done(&json);
    cleanup_free char *data = base64_encode(buf_slice(&packed));
    buf_puts(out, data);
    buf_append(out, at + strlen(MARK), page.n - (size_t)(at - page.p) - strlen(MARK));
    return buf_ok(out) ? 0 : err_set(err, -E2BIG, "the page is larger than %zu MiB", out->max >> 20);
}
