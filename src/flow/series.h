/* A series: profiles and their common labels, as pushed to a server and as stored. All data is borrowed. */
#pragma once

#include <stddef.h>

#include "base/str.h"
#include "flow/labels.h"

struct series {
    const struct label *labels; /* in any order; the texts need no NUL at their end */
    size_t label_count;
    const struct str *profiles; /* pprof, gzip-compressed or plain */
    size_t profile_count;
    const struct str *ids; /* of the profiles, "" where one has none; NULL: none has */
};
