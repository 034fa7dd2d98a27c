/* Questions of the page, asked of a server with a store. Header only; one test program includes it once. */
#pragma once

#include "store_server.h"

#define PAGE_CPU "type=" SERVER_CPU

/* GET /api/… of the test's profiles, which are of the first 1000 seconds. */
static inline struct probe_reply page_get(const char *question)
{
    char path[4096];
    snprintf(path, sizeof path, "/api/%s%sfrom=0&until=1000000", question, strchr(question, '?') ? "&" : "?");
    return probe(&server_loop, server_at, "GET", path, "", NULL, 0);
}

static inline void page_check(int line, const char *question, int status, const char *want)
{
    cleanup_probe struct probe_reply r = page_get(question);
    if (r.status != status || strcmp(r.body, want) != 0)
        FAIL_("line %d: %s: %d %s, want %d %s", line, question, r.status, r.body, status, want);
}
#define PAGE_CHECK(question, want)           page_check(__LINE__, question, 200, want)
#define PAGE_CHECK_ERROR(question, st, want) page_check(__LINE__, question, st, "{\"error\":\"" want "\"}")

/* The answer has this part. */
static inline void page_check_has(int line, const char *question, const char *part)
{
    cleanup_probe struct probe_reply r = page_get(question);
    if (r.status != 200 || !strstr(r.body, part))
        FAIL_("line %d: %s: %d %s, should contain %s", line, question, r.status, r.body, part);
}
#define PAGE_CHECK_HAS(question, part) page_check_has(__LINE__, question, part)
