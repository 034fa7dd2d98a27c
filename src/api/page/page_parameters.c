#include "api/page/page_parameters.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void page_parameters_add(struct page_parameters *p, const char *name, const char *value)
{
    xgrow(&p->items, &p->cap, p->len + 1, sizeof *p->items);
    p->items[p->len++] = (struct page_parameter){name, value ? value : ""};
}

static void page_parameters_visit(void *arg, const char *name, const char *value)
{
    page_parameters_add(arg, name, value);
}

static int page_parameters_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10 : -1;
}

/* Decodes a name or a value where it is; what is no escape stays. */
static char *page_parameters_decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        const int high = *from == '%' ? page_parameters_digit(from[1]) : -1;
        const int low = high >= 0 ? page_parameters_digit(from[2]) : -1;
        if (low >= 0)
            from += 2;
        *to++ = low >= 0 ? (char)(high << 4 | low) : *from == '+' ? ' ' : *from;
    }
    *to = '\0';
    return text;
}

static int page_parameters_count(const struct page_parameters *p, struct err *err)
{
    return p->len < PAGE_PARAMETERS_MAX ? 0 : err_set(err, -EINVAL, "more than %d parameters", PAGE_PARAMETERS_MAX - 1);
}

int page_parameters_parse(struct page_parameters *p, struct str form, struct err *err)
{
    *p = (struct page_parameters){0};
    if (form.n > PAGE_FORM_MAX)
        return err_set(err, -EINVAL, "the body is larger than %d KiB", PAGE_FORM_MAX >> 10);
    p->text = str_dup(form);
    for (char *rest = p->text, *pair; (pair = strsep(&rest, "&")) && p->len < PAGE_PARAMETERS_MAX;) {
        char *value = pair;
        const char *name = strsep(&value, "=");
        if (*name)
            page_parameters_add(p, page_parameters_decode(pair), value ? page_parameters_decode(value) : "");
    }
    return page_parameters_count(p, err);
}

int page_parameters_read(struct page_parameters *p, const struct request *rq, struct err *err)
{
    static const char form[] = "application/x-www-form-urlencoded";
    const char *type = request_header(rq, "Content-Type");
    *p = (struct page_parameters){0};
    if (strcmp(request_method(rq), "POST") != 0) {
        request_each_parameter(rq, page_parameters_visit, p);
        return page_parameters_count(p, err);
    }
    if (!type || strncasecmp(type, form, strlen(form)) != 0)
        return err_set(err, -EINVAL, "the body must be %s", form);
    return page_parameters_parse(p, request_body(rq), err);
}

void page_parameters_done(struct page_parameters *p)
{
    free(p->items);
    free(p->text);
    *p = (struct page_parameters){0};
}

const char *page_parameter(const struct page_parameters *p, const char *name)
{
    for (size_t i = 0; i < p->len; i++)
        if (strcmp(p->items[i].name, name) == 0)
            return p->items[i].value;
    return NULL;
}

void page_parameters_each(const struct page_parameters *p, const char *name,
                          void (*visit)(void *arg, const char *value), void *arg)
{
    for (size_t i = 0; i < p->len; i++)
        if (strcmp(p->items[i].name, name) == 0)
            visit(arg, p->items[i].value);
}
