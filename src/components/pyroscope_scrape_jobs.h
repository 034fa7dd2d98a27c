/* What is to be requested of a target: one job for each profile of each target.
 *
 * Labels that a target may have to change it: __address__ (needed), __scheme__, __name__ (the profile),
 * __profile_path__, __profile_path_prefix__, __param_<name>. Added to every profile: job, instance, service_name, and
 * the instrumentation scope. Source: Alloy's page of pyroscope.scrape; spec components §1.9 for the scope.
 */
#pragma once

#include "components/pyroscope_scrape_args.h"

struct scrape_job {
    char *url;
    struct labels *labels;     /* of its profiles */
    const char *const *deltas; /* sample types that count since the program's start, static; NULL: none */
    const char *profile;       /* the profile's name, as configured; in `labels` or static */
    int64_t seconds;           /* that the endpoint takes; 0: answers at once */
    uint64_t hash;             /* of URL and labels, of this process only */
};

struct scrape_jobs {
    struct scrape_job *items;
    size_t len, cap;
    char problem[ERR_MAX]; /* of the last target that cannot be scraped; "" = none */
    size_t problems;
};

/* `id` of the component; `version` of the program. */
void scrape_jobs_make(struct scrape_jobs *jobs, const struct scrape_args *a, const char *id, const char *version);
/* Of one; its memory is part of the list. */
void scrape_job_done(struct scrape_job *j);
void scrape_jobs_done(struct scrape_jobs *jobs);
