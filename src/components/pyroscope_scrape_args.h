/* The arguments of pyroscope.scrape, names and defaults as Alloy's. */
#pragma once

#include "components/http_settings.h"
#include "flow/receiver.h"
#include "flow/targets.h"
#include "lang/schema.h"

/* One of the profile.* blocks. */
struct scrape_profile_args {
    bool enabled, delta;
    char *path;
    char *name; /* label of profile.custom; NULL for the others */
};

enum scrape_profile {
    SCRAPE_MEMORY,
    SCRAPE_BLOCK,
    SCRAPE_GOROUTINE,
    SCRAPE_MUTEX,
    SCRAPE_PROCESS_CPU,
    SCRAPE_FGPROF,
    SCRAPE_GODELTAPROF_MEMORY,
    SCRAPE_GODELTAPROF_MUTEX,
    SCRAPE_GODELTAPROF_BLOCK,
    SCRAPE_PROFILES
};

struct scrape_profiling_args {
    struct scrape_profile_args known[SCRAPE_PROFILES];
    struct block_list custom; /* struct scrape_profile_args */
    char *path_prefix;
};

/* map(list(string)), in the order of the names. */
struct scrape_param {
    char *name;
    struct string_list values;
};
struct scrape_params {
    struct scrape_param *items;
    size_t len;
};

struct scrape_clustering_args {
    bool enabled;
};

struct scrape_args {
    struct targets targets;
    struct receivers forward_to;
    char *job_name, *scheme;
    struct scrape_params params;
    int64_t scrape_interval, scrape_timeout, delta_profiling_duration;
    struct scrape_profiling_args profiling;
    struct scrape_clustering_args clustering;
    struct http_settings http;
};

extern const struct schema scrape_schema;

/* Calls `visit` for every profile, enabled or not. */
void scrape_each_profile(const struct scrape_profiling_args *a,
                         void (*visit)(void *arg, const char *name, const struct scrape_profile_args *p), void *arg);
/* What is meant by `delta = true`: whole seconds of one profile. */
int64_t scrape_delta_seconds(const struct scrape_args *a);
