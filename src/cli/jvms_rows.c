#include "cli/jvms_rows.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "jvm/probe/reason.h"
#include "lang/json.h"

enum { CONTAINER_SHOWN = 12, CELL_MAX = 64, ROW_COLUMNS = 8, CELL_BYTES = 4096, HEADER_ROWS = 1 };

static void jvm_row_done(struct jvm_row *r)
{
    char *const texts[] = {r->user,    r->container, r->version, r->vendor, r->main,
                           r->service, r->state,     r->reason,  r->code,   r->remedy};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(texts[i]);
}

void jvm_rows_done(struct jvm_rows *r)
{
    for (size_t i = 0; i < r->len; i++)
        jvm_row_done(&r->items[i]);
    free(r->items);
    *r = (struct jvm_rows){0};
}

static struct jvm_row *jvm_rows_add(struct jvm_rows *r)
{
    xgrow(&r->items, &r->cap, r->len + 1, sizeof *r->items);
    r->items[r->len] = (struct jvm_row){0};
    return &r->items[r->len++];
}

/* ---- the agent's answer ---- */

static char *jvm_rows_text(const struct value *object, const char *name)
{
    const struct value *v = value_member(object, str_of(name));
    return v && value_kind(v) == VALUE_STRING ? str_dup(value_as_str(v)) : NULL;
}

static uint64_t jvm_rows_number(const struct value *object, const char *name)
{
    const struct value *v = value_member(object, str_of(name));
    return v && value_kind(v) == VALUE_NUMBER ? value_as_uint(v) : 0;
}

int jvm_rows_of_agent(struct jvm_rows *r, struct str json, struct err *err)
{
    cleanup_value struct value *answer = NULL;
    struct err why = {0};
    int code = json_read(json, JSON_KEEP_INTEGERS, &answer, &why);
    const struct value *list =
        code == 0 && value_kind(answer) == VALUE_OBJECT ? value_member(answer, STR("jvms")) : NULL;
    if (!list || value_kind(list) != VALUE_ARRAY)
        return err_set(err, -EBADMSG, "the answer of the agent has no list of JVMs: %s",
                       code < 0 ? why.text : "is it smolder's?");
    for (size_t i = 0; i < value_len(list); i++) {
        const struct value *v = value_item(list, i);
        if (value_kind(v) != VALUE_OBJECT)
            continue;
        struct jvm_row *row = jvm_rows_add(r);
        row->pid = jvm_rows_number(v, "pid");
        row->start_time = jvm_rows_number(v, "start_time");
        row->main = jvm_rows_text(v, "main");
        row->service = jvm_rows_text(v, "service_name");
        row->state = jvm_rows_text(v, "state");
        row->reason = jvm_rows_text(v, "reason");
        row->code = jvm_rows_text(v, "reason_code");
        row->remedy = jvm_rows_text(v, "remedy");
    }
    return 0;
}

/* ---- /proc ---- */

static struct jvm_row *jvm_rows_find(const struct jvm_rows *r, uint64_t pid, uint64_t start_time)
{
    for (size_t i = 0; i < r->len; i++)
        if (r->items[i].pid == pid && (r->items[i].start_time == start_time || !r->items[i].start_time))
            return &r->items[i];
    return NULL;
}

static void jvm_row_set(char **text, const char *value)
{
    if (*value) {
        free(*text);
        *text = xstrdup(value);
    }
}

/* What an agent with the default settings would make of it. */
static void jvm_row_guess(struct jvm_row *row, const struct jvm_examination *e, bool asked)
{
    const struct precondition *blocker = examination_blocker(e);
    const enum jvm_state state = e->facts.recording ? JVM_STATE_PROFILING
                                 : blocker          ? jvm_state_of_reason(blocker->text)
                                                    : JVM_STATE_WAITING;
    row->state = xstrdup(jvm_state_name(state));
    if (e->facts.recording) {
        row->reason = xstrdup(asked ? "by another smolder" : "by a smolder that was not asked");
    } else if (blocker) {
        row->reason = xstrdup(blocker->text);
        row->code = xstrdup(blocker->code);
        row->remedy = xstrdup(blocker->remedy);
    } else {
        row->reason = xstrdup(asked ? "no target of the agent's configuration" : "no agent is running");
    }
}

static int jvm_rows_by_pid(const void *a, const void *b)
{
    const struct jvm_row *x = a, *y = b;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

void jvm_rows_join(struct jvm_rows *r, const struct local_list *list, bool asked)
{
    const size_t agents = r->len;
    for (size_t i = 0; i < list->len; i++) {
        const struct local_jvm *j = &list->items[i];
        struct jvm_row *row = agents ? jvm_rows_find(r, (uint64_t)j->pid, j->start_time) : NULL;
        const bool known = row && row->state;
        if (!row)
            row = jvm_rows_add(r);
        row->pid = (uint64_t)j->pid;
        row->start_time = j->start_time;
        row->known_uid = true;
        row->uid = j->uid;
        jvm_row_set(&row->user, j->user);
        jvm_row_set(&row->container, j->container);
        jvm_row_set(&row->main, j->main);
        if (!j->examined)
            continue;
        jvm_row_set(&row->version, j->examined->facts.version);
        jvm_row_set(&row->vendor, j->examined->facts.vendor);
        if (!known)
            jvm_row_guess(row, j->examined, asked);
    }
    if (r->len > 1)
        qsort(r->items, r->len, sizeof *r->items, jvm_rows_by_pid);
}

/* ---- output ---- */

/* On one line, without what a terminal obeys, and "-" for nothing: a column is never empty. */
static void jvm_rows_cell(const char *text, size_t max, struct buf *out)
{
    cleanup_buf struct buf escaped = BUF_INIT(CELL_BYTES);
    struct str all = str_of(text ? text : "");
    if (all.n > CELL_BYTES / TERMINAL_ESCAPE)
        all.n = CELL_BYTES / TERMINAL_ESCAPE;
    terminal_escape(all, &escaped);
    size_t n = escaped.len;
    if (max && n > max)
        for (n = max; n && ((unsigned char)escaped.p[n] & 0xC0) == 0x80; n--)
            ;
    if (n == 0)
        buf_byte(out, '-');
    for (size_t i = 0; i < n; i++)
        buf_byte(out, escaped.p[i] == '\n' || escaped.p[i] == '\t' ? ' ' : escaped.p[i]);
}

static size_t jvm_rows_columns(struct str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += ((unsigned char)text.p[i] & 0xC0) != 0x80;
    return n;
}

static void jvm_rows_cells(const struct jvm_row *r, struct buf cells[ROW_COLUMNS])
{
    char pid[24], uid[16] = "";
    snprintf(pid, sizeof pid, "%" PRIu64, r->pid);
    if (r->known_uid)
        snprintf(uid, sizeof uid, "%u", r->uid);
    jvm_rows_cell(pid, 0, &cells[0]);
    jvm_rows_cell(r->user ? r->user : uid, CELL_MAX, &cells[1]);
    jvm_rows_cell(r->container, CONTAINER_SHOWN, &cells[2]);
    jvm_rows_cell(r->version, CELL_MAX, &cells[3]);
    jvm_rows_cell(r->vendor, CELL_MAX, &cells[4]);
    jvm_rows_cell(r->main ? r->main : r->service, CELL_MAX, &cells[5]);
    jvm_rows_cell(r->state, 0, &cells[6]);
    jvm_rows_cell(r->reason, 0, &cells[7]);
}

void jvm_rows_put_table(const struct jvm_rows *r, struct buf *out)
{
    static const char *const heads[ROW_COLUMNS] = {"PID",    "USER", "CONTAINER", "VERSION",
                                                   "VENDOR", "MAIN", "STATE",     "WHY"};
    const size_t rows = r->len + HEADER_ROWS;
    size_t width[ROW_COLUMNS] = {0};
    struct buf *cells = xcalloc(rows * ROW_COLUMNS, sizeof *cells);
    for (size_t i = 0; i < rows * ROW_COLUMNS; i++)
        cells[i] = BUF_INIT(CELL_BYTES);
    for (size_t k = 0; k < ROW_COLUMNS; k++)
        buf_puts(&cells[k], heads[k]);
    for (size_t i = 0; i < r->len; i++)
        jvm_rows_cells(&r->items[i], cells + (i + HEADER_ROWS) * ROW_COLUMNS);
    for (size_t i = 0; i < rows * ROW_COLUMNS; i++) {
        const size_t n = jvm_rows_columns(buf_slice(&cells[i]));
        width[i % ROW_COLUMNS] = n > width[i % ROW_COLUMNS] ? n : width[i % ROW_COLUMNS];
    }
    for (size_t i = 0; i < rows * ROW_COLUMNS; i++) {
        const size_t k = i % ROW_COLUMNS, n = jvm_rows_columns(buf_slice(&cells[i]));
        buf_str(out, buf_slice(&cells[i]));
        if (k + 1 < ROW_COLUMNS)
            buf_printf(out, "%*s", (int)(width[k] - n + 2), "");
        else
            buf_byte(out, '\n');
        buf_done(&cells[i]);
    }
    free(cells);
}

static void jvm_rows_member(struct buf *out, const char *name, const char *value)
{
    buf_byte(out, ',');
    json_name(out, name);
    if (value)
        json_string(out, str_of(value));
    else
        buf_puts(out, "null");
}

void jvm_rows_put_json(const struct jvm_rows *r, bool asked, const struct local_list *list, struct buf *out)
{
    buf_printf(out, "{\"agent\":%s,\"hidden\":%zu,\"hidden_java\":%zu,\"jvms\":[", asked ? "true" : "false",
               list->hidden, list->hidden_java);
    for (size_t i = 0; i < r->len; i++) {
        const struct jvm_row *row = &r->items[i];
        buf_printf(out, "%s\n{\"pid\":%" PRIu64 ",\"start_time\":%" PRIu64 ",\"uid\":", i ? "," : "", row->pid,
                   row->start_time);
        if (row->known_uid)
            buf_printf(out, "%u", row->uid);
        else
            buf_puts(out, "null");
        jvm_rows_member(out, "user", row->user);
        jvm_rows_member(out, "container", row->container);
        jvm_rows_member(out, "version", row->version);
        jvm_rows_member(out, "vendor", row->vendor);
        jvm_rows_member(out, "main", row->main);
        jvm_rows_member(out, "service_name", row->service);
        jvm_rows_member(out, "state", row->state);
        jvm_rows_member(out, "reason", row->reason);
        jvm_rows_member(out, "reason_code", row->code);
        jvm_rows_member(out, "remedy", row->remedy);
        buf_byte(out, '}');
    }
    buf_puts(out, "]}\n");
}
