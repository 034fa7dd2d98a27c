/* Records a JVM that no agent profiles, with a session like the agent's (jvm/session/session.h).
 *
 * Stops the profiler and removes what it made at the end, after an interrupt (SIGINT, SIGTERM, SIGHUP), and if the
 * JVM ends. If this process is killed, the profiler's own timeout stops it.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "cli/local_jvms.h"
#include "cli/record_progress.h"
#include "cli/record_spool.h"

struct record_settings {
    const char *options; /* of the profiler: "event=itimer,…" */
    const char *tmp_dir, *dist, *storage_path;
    int64_t duration_ns;
    bool untested;
};

/* 0 if something was recorded, whatever ended it. -ENOTSUP when the JVM is not profiled, with reason and remedy;
 * -EIO when nothing could be kept. */
must_check int record_alone(struct local *l, const struct local_jvm *jvm, const struct record_settings *s,
                            struct record_progress *progress, struct spool *spool, struct err *err);
