/* What smolder top knows, and how it learns it: a round of questions to the store, again and again.
 *
 * A round asks for the profile types, the time of the newest profile, the services of the type, and the methods of one
 * service or of all. The range ends with the newest profile, because profiles arrive some seconds after their time; if
 * that is older than TOP_OLD_MS, it ends now. Loop thread.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "cli/top_answer.h"
#include "cli/top_screen.h"
#include "cli/top_server.h"

enum { TOP_OLD_MS = 5 * 60 * 1000, TOP_RANGE_LEAST_MS = 10 * 1000, TOP_RANGE_MOST_MS = 24 * 3600 * 1000 };

struct top_session {
    struct top_server *server;
    const char *wanted_type; /* --type; "" = none is wanted */
    int64_t range_ms;        /* multiple of a second */
    enum top_sort sort;
    char *service; /* NULL = all; owned */
    /* What came of it. */
    struct top_types types;
    char *type; /* NULL = none yet; owned */
    struct top_services services;
    struct top_methods methods;
    int64_t until_ms;   /* 0 = nothing yet */
    struct err problem; /* of the last round */
    bool asking;
    /* A round ended; the problem says how. */
    void (*ended)(void *arg);
    void *arg;
    int step;
    struct buf message;
    int64_t newest_ms, next_until_ms;
};

/* Takes the server. */
void top_session_init(struct top_session *s, struct top_server *server, void (*ended)(void *arg), void *arg);
void top_session_done(struct top_session *s);
/* Begins a round; one that is under way is given up. */
void top_session_ask(struct top_session *s);
/* The type `by` places after the present one. What is known of another one is forgotten. */
void top_session_turn_type(struct top_session *s, int by);
/* NULL = all services. Copies. */
void top_session_select(struct top_session *s, const char *service);
/* The service `by` rows below the present one; the first row are all of them. */
void top_session_move(struct top_session *s, int by);
void top_session_sort(struct top_session *s, enum top_sort by);
/* Completes what is shown; the caller sets what is its own. */
void top_session_view(const struct top_session *s, struct top_view *v);
