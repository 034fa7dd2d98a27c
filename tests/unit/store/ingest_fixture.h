/* A database in memory with pushed series in it. Header only; one test program includes it once. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "pprof_maker.h"
#include "store/ingest.h"

static struct db fixture_db;
static struct ingest_context fixture_context; /* what became of the last push; `parsers` is where it is parsed */

static inline void fixture_open(void)
{
    struct err err = {0};
    if (db_open(":memory:", &fixture_db, &err) < 0) {
        printf("  %s\n", err.text);
        exit(1);
    }
}

static inline void fixture_close(void)
{
    db_close(&fixture_db);
}

static inline int fixture_push_series(const struct series *series, struct err *err)
{
    fixture_context = (struct ingest_context){.db = &fixture_db, .parsers = fixture_context.parsers};
    return ingest_push(&fixture_context, series, 1, err);
}

/* One profile of a service called `service`, with one more label where `zone` is not NULL. */
static inline int fixture_push(const char *service, const char *zone, struct str pprof, struct err *err)
{
    struct label labels[3] = {{STR("__name__"), STR("process_cpu")}, {STR("service_name"), str_of(service)}};
    if (zone)
        labels[2] = (struct label){STR("zone"), str_of(zone)};
    const struct series series = {labels, zone ? 3 : 2, &pprof, 1};
    return fixture_push_series(&series, err);
}

static inline int64_t fixture_count(const char *sql)
{
    struct err err = {0};
    int64_t n = -1;
    if (db_number(&fixture_db, sql, &n, &err) < 0)
        printf("  %s\n", err.text);
    return n;
}
