/* The findings of an examination (jvm/operation/examine.h): facts about a JVM, and the preconditions of profiling.
 *
 * A precondition is reported once it is known, with a sentence. Codes and remedies of problems are those of
 * jvm/probe/reason.h, found by the sentence.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "jvm/operation/request.h"

enum { EXAMINE_REMEDY_MAX = 320, EXAMINE_MAX = 24, EXAMINE_FACT_MAX = 256 };

enum precondition_result { PRECONDITION_OK, PRECONDITION_PROBLEM, PRECONDITION_UNKNOWN };
/* "ok", "problem", "unknown" */
const char *precondition_result_name(enum precondition_result r);

struct precondition {
    char name[24]; /* "process", "attach", "memory" */
    enum precondition_result result;
    bool blocks;   /* a problem that prevents profiling; else something is missing from the profiles */
    char code[32]; /* of a problem that blocks: its row in jvm/probe/reason.h; else "" */
    char text[ERR_MAX];
    char remedy[EXAMINE_REMEDY_MAX]; /* what to do about it; "" = nothing is needed */
};

/* Printable, limited, "" where unknown. */
struct jvm_facts {
    char vm[16];       /* "hotspot", "openj9"; "" = no JVM */
    char version[96];  /* "17.0.15+6-Debian-1deb12u1" */
    char vendor[96];   /* "Eclipse Adoptium" */
    char main[192];    /* main class or jar */
    char hostname[96]; /* HOSTNAME in its environment: in Kubernetes the name of the pod */
    char makeup[MAKEUP_KEY_SIZE];
    bool recording;      /* a session of smolder is running in it */
    bool other_profiler; /* another async-profiler session is running in it */
};

struct jvm_examination {
    struct jvm_facts facts;
    struct precondition items[EXAMINE_MAX]; /* in the order of the checks */
    size_t len;
    bool whole; /* all checks were made; else the last item tells why not */
};
/* The first problem that prevents profiling; NULL = none is known. */
const struct precondition *examination_blocker(const struct jvm_examination *e);

/* For the functions that check. */
typedef void examine_put(void *arg, const struct precondition *p);
struct examiner {
    const struct jvm_request *request;
    examine_put *put;
    void *arg;
    struct jvm_facts facts;
};

/* A finding: formats its text. An empty remedy of a problem that blocks is that of its row in jvm/probe/reason.h. */
void examine_report(const struct examiner *x, const char *name, enum precondition_result result, bool blocks,
                    const char *remedy, const char *fmt, ...) printf_like(6, 7);
/* ok, or a problem that prevents profiling with the text of the error. */
void examine_report_err(const struct examiner *x, const char *name, int code, const struct err *err, const char *remedy,
                        const char *ok);
