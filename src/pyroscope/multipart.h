/* Parts of a multipart/form-data body (RFC 7578, RFC 2046 §5.1), in place. For a parser process, as it is untrusted. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

/* The boundary of a Content-Type; "" where it is not multipart/form-data, or has none. Borrowed. */
struct str multipart_boundary(struct str content_type);

struct multipart {
    struct str rest, boundary;
};
/* Begins before the first part. */
struct multipart multipart_of(struct str body, struct str boundary);
/* The next part; false at the end, and where none is whole. */
bool multipart_next(struct multipart *m, struct str *name, struct str *bytes);
