#include "jvm/operation/examination.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "jvm/probe/reason.h"

const char *precondition_result_name(enum precondition_result r)
{
    static const char *const names[] = {"ok", "problem", "unknown"};
    return (size_t)r < ARRAY_LEN(names) ? names[r] : "unknown";
}

const struct precondition *examination_blocker(const struct jvm_examination *e)
{
    for (size_t i = 0; i < e->len; i++)
        if (e->items[i].result == PRECONDITION_PROBLEM && e->items[i].blocks)
            return &e->items[i];
    return NULL;
}

/* Markdown of one sentence as plain text: without the marks of code and the targets of links. */
static void examine_plain(const char *markdown, char *ret, size_t size)
{
    size_t n = 0;
    for (const char *c = markdown; *c && n + 1 < size; c++) {
        const char *end = c[0] == ']' && c[1] == '(' ? strchr(c, ')') : NULL;
        if (end)
            c = end;
        else if (*c != '`' && *c != '[')
            ret[n++] = *c;
    }
    ret[n] = '\0';
}

void examine_report(const struct examiner *x, const char *name, enum precondition_result result, bool blocks,
                    const char *remedy, const char *fmt, ...)
{
    struct precondition p = {.result = result, .blocks = blocks};
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(p.text, sizeof p.text, fmt, ap);
    va_end(ap);
    snprintf(p.name, sizeof p.name, "%s", name);
    snprintf(p.remedy, sizeof p.remedy, "%s", remedy);
    if (result == PRECONDITION_PROBLEM && blocks) {
        const struct jvm_reason *reason = jvm_reason_of(JVM_STATE_REFUSED, p.text);
        snprintf(p.code, sizeof p.code, "%s", reason->code);
        if (!*remedy)
            examine_plain(reason->remedy, p.remedy, sizeof p.remedy);
    }
    x->put(x->arg, &p);
}

void examine_report_err(const struct examiner *x, const char *name, int code, const struct err *err, const char *remedy,
                        const char *ok)
{
    if (code == 0)
        examine_report(x, name, PRECONDITION_OK, false, "", "%s", ok);
    else
        examine_report(x, name, PRECONDITION_PROBLEM, true, remedy, "%s", err->text);
}
