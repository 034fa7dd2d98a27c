/* What the parts of pyroscope.java share; for pyroscope_java*.c only. */
#pragma once

#include <uv.h>

#include "base/list.h"
#include "base/map.h"
#include "components/env.h"
#include "components/pyroscope_java_args.h"
#include "components/pyroscope_java_containers.h"
#include "components/pyroscope_java_convert.h"
#include "components/pyroscope_java_ended.h"
#include "components/pyroscope_java_labels.h"
#include "graph/component.h"
#include "jvm/probe/builds.h"
#include "jvm/probe/reason.h"
#include "jvm/session/session.h"

/* Size of the texts about what is lost. */
enum { LOST_WHY = 160 };

struct java {
    struct component *self;
    struct component_env *env;
    const struct java_args *args; /* one reference */
    char *events;                 /* the profiler's options */
    struct java_converter *converter;
    struct java_containers *containers;
    struct targets targets; /* those of args, with containers replaced by their JVMs */
    struct list jvms;       /* struct jvm */
    struct java_ended ended;
    struct jvm_places places;
    struct strmap reported; /* bad targets, by their text (owned): said once */
    uv_timer_t timer;       /* installs again; hurries a stop */
    uv_timer_t listen;      /* while nobody receives profiles */
    uint64_t install_call;
    bool installing, started, stopping;
    bool note_told;
    unsigned timers_closed;
    bool unheard; /* nobody receives profiles, so no JVM is attached to */
};

struct jvm {
    struct list node;
    struct java *owner;
    struct jvm_id id;
    uint64_t user;               /* whose it is (jvm/probe/user.h) */
    struct jvm_session *session; /* NULL once closed */
    struct java_stream *stream;
    struct labels *target;
    enum jvm_state state;
    char reason[ERR_MAX];
    char logged[ERR_MAX];                                 /* the reason last told */
    int64_t first_ns;                                     /* its first profile is cut after this long */
    int64_t since_ns, last_profile_ns, profiled_since_ns; /* wall clock */
    uint64_t profiles, samples;
    uint64_t cpu_samples; /* of the interval being converted */
    bool leaving;         /* no target names it any more */
    bool wanted;          /* scratch of reconcile() */
    bool cut_told, profiled;
    unsigned lost; /* chunks and intervals, not told yet */
    uint64_t lost_total, recorded_bytes;
    int64_t agent_cpu_ns;     /* of its conversions */
    int64_t lost_told_ns;     /* 0 = never */
    char lost_why[LOST_WHY];  /* of the last one */
    char waits_for[LOST_WHY]; /* reason code before it ended */
    bool refused;             /* a recording of the interval at hand */
    char cut[ERR_MAX];        /* what of the last interval was left out, and why; "" = nothing */
    char version[JVM_VERSION_MAX], vendor[JVM_VENDOR_MAX]; /* "" = not known (yet) */
    struct java_events events;
    struct profile_origin *origin; /* of its profiles: told by their receivers */
    struct list recorders;         /* struct jvm_recorder */
};
