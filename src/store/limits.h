/* Limits of one push. */
#pragma once

enum {
    STORE_PROFILE_MAX = 16 << 20, /* bytes of one pprof, inflated */
    STORE_LABELS_MAX = 64,        /* of one series */
};
