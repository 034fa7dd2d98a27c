/* The parameters of a question: those of the address, or of a POST those of its body, a form
 * (application/x-www-form-urlencoded). A stack of names may be longer than an address can be.
 *
 * Each text ends at its first zero byte. Loop thread; once read, any one thread.
 */
#pragma once

#include "base/err.h"
#include "net/server_request.h"

enum { PAGE_PARAMETERS_MAX = 8192, PAGE_FORM_MAX = 1 << 20 };

struct page_parameter {
    const char *name, *value; /* value: never NULL */
};
struct page_parameters {
    struct page_parameter *items; /* owned; in their order */
    size_t len, cap;
    char *text; /* of a form, owned; others are borrowed from the request */
};

/* To be done() in any case. -EINVAL: the body is no form, or there are too many. */
must_check int page_parameters_read(struct page_parameters *p, const struct request *rq, struct err *err);
/* The same of a form alone. Copies. */
must_check int page_parameters_parse(struct page_parameters *p, struct str form, struct err *err);
void page_parameters_done(struct page_parameters *p);
/* The first one of that name; NULL when missing. */
const char *page_parameter(const struct page_parameters *p, const char *name);
void page_parameters_each(const struct page_parameters *p, const char *name,
                          void (*visit)(void *arg, const char *value), void *arg);
