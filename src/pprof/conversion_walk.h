/* One chunk into a conversion: its events are walked in file order, all or none of them. */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct conversion;

/* One chunk, header included. -EBADMSG with the reason when it is refused, -E2BIG, -ENOMEM. Counts events by JFR type
 * name. Where it reaches a limit it is taken as far as that, see conversion_cuts(). */
must_check int conversion_add(struct conversion *c, const void *chunk, size_t len, struct err *err);
