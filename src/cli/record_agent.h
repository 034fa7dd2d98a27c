/* Records a JVM through the agent that profiles it: the agent sends the chunks that it reads anyway
 * (api/agent/agent_record.h), and the profiling is not disturbed.
 */
#pragma once

#include "base/err.h"
#include "cli/local_jvms.h"
#include "cli/record_progress.h"
#include "cli/record_spool.h"

struct record_request {
    const char *from;   /* URL of the agent */
    const char *events; /* those asked for by the user; "" = whatever the agent samples */
    const struct local_jvm *jvm;
};

/* 0 if something was recorded. -ECONNREFUSED: no agent; -ENOENT: it does not profile this JVM; -ENOTSUP: it cannot now,
 * or not with these events; -EACCES: it requires authentication. */
must_check int record_through_agent(uv_loop_t *loop, const struct record_request *r, struct record_progress *progress,
                                    struct spool *spool, struct err *err);
