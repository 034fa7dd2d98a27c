/* What goes across the border of a conversion: fixed structs without pointers, and ranges of bytes beside them.
 *
 * On one side is who has chunks and wants profiles, on the other what parses foreign bytes (convert/service.h).
 * Nothing else is shared: no memory, no table, no callback; limits go by value, and what an interval leaves for the
 * next comes back and is sent again. So the other side may be a thread, a process without rights, or one that was
 * started anew, and a message may be written to a pipe as it is: the struct, then its range.
 *
 *     request          its range             reply              its ranges
 *     CONVERT_OPEN     series, uint64_t      convert_reply      none
 *     CONVERT_CHUNK    one chunk of JFR      convert_reply      none
 *     CONVERT_FINISH   none                  convert_reply      profiles: convert_profile, its bytes; series, uint64_t
 *
 * Both sides are the same build of the same program, so layout and byte order are not a matter. But the side that
 * parses may have been taken over by what it parses: convert_reply_check() and convert_profile_check() are asked
 * before anything of a reply is believed. Strings are of a fixed size and end with a 0.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pprof/limits.h"
#include "pprof/stack_filter.h"

enum {
    CONVERT_EVENT_MAX = 136, /* of a name of an event; recordings' longer ones are "other" */
    CONVERT_TYPE_MAX = 32,
    CONVERT_LABEL_MAX = 32,
    CONVERT_LABELS_MAX = 4,
    CONVERT_PROFILES_MAX = 32,
};
/* Series that may be known, and of a reply. */
enum { CONVERT_SERIES_MAX = 1 << 16 };

/* What a recording says of itself: its first chunk alone does, so it is carried from interval to interval. */
struct convert_settings {
    char event[CONVERT_EVENT_MAX]; /* what the profiler samples: "itimer", "wall", a counter; "" = nothing by time */
    int64_t cpu_ns;                /* weight of a sample of `event`; of a counter what it counts */
    int64_t wall_ns;               /* weight of a wall clock sample; 0 = cpu_ns */
    int64_t native_method_ns;      /* weight of a jdk.NativeMethodSample; 0 = the JDK's 20 ms */
    int64_t alloc_bytes;           /* mean bytes between allocation samples; 0 = not known */
    int64_t malloc_bytes;          /* the same of malloc */
};

/* CONVERT_OPEN begins an interval; one that is open already is given up. */
struct convert_options {
    struct convert_settings settings; /* what a chunk says of itself wins */
    struct conversion_limits limits;
    bool per_thread;               /* samples are labelled with their thread's name */
    bool raw_threads;              /* with numbers of pool threads as they are */
    bool gzip;                     /* profiles are compressed */
    char filter[STACK_FILTER_MAX]; /* which stacks profiles have; "" = all */
    /* Label sets that profiles of this source had so far are known as hashes with this key; beyond `series_max`
     * samples lose their labels. */
    uint64_t series_key[2];
    uint32_t series_max; /* 0 = any */
};

/* CONVERT_CHUNK adds a chunk to the interval. One that is refused leaves it as it was. */
struct convert_chunk {
    int64_t
        received_ns; /* wall clock, when it came; 0 = not known. Impossible times of its header are replaced by this */
    double itimer_scale; /* what a sample of `itimer` counts; 1 = a sample */
};

enum convert_op { CONVERT_OPEN = 1, CONVERT_CHUNK, CONVERT_FINISH };

struct convert_request {
    uint32_t op;
    uint64_t size; /* of the range */
    union {
        struct convert_options open;
        struct convert_chunk chunk;
    };
};

struct convert_reply {
    int32_t code; /* 0, or a negative errno: the chunk was refused, or the interval's profiles cannot be made */
    char why[ERR_MAX];
    int64_t cpu_ns;                   /* of the thread that answered, for this request */
    struct convert_settings settings; /* in force, for the next interval */
    uint64_t cuts[CUT_REASONS];       /* what did not fit so far, of this interval */
    uint32_t profile_count, series_count;
};

struct convert_label {
    char name[CONVERT_LABEL_MAX], value[CONVERT_EVENT_MAX];
};

struct convert_profile {
    char type[CONVERT_TYPE_MAX]; /* "process_cpu", "memory", "mutex", "block", "wall", …: __name__ of its series */
    uint32_t label_count;        /* beside those that the source has: "jfr_event" */
    struct convert_label labels[CONVERT_LABELS_MAX];
    uint64_t samples; /* events in it */
    int64_t time_nanos, duration_nanos;
    uint64_t size; /* of its range: one pprof */
};

/* May this have come from the other side, and fit what it was told? -EBADMSG says what is wrong with it. A reply and
 * a profile are checked against the options the interval was opened with. */
must_check int convert_request_check(const struct convert_request *rq, struct err *err);
must_check int convert_reply_check(const struct convert_reply *r, const struct convert_options *o, struct err *err);
must_check int convert_profile_check(const struct convert_profile *p, const struct convert_options *o, struct err *err);

/* The value of a label; "" where there is none. */
const char *convert_label(const struct convert_profile *p, const char *name);
