/* The rows of `smolder jvms`: what the agent says, joined with what /proc says by PID and start time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/local_jvms.h"

struct jvm_row {
    uint64_t pid, start_time;
    bool known_uid;
    uint32_t uid;
    /* Owned; NULL = unknown. */
    char *user, *container, *version, *vendor, *main, *service, *state, *reason, *code, *remedy;
};
struct jvm_rows {
    struct jvm_row *items; /* owned; by PID after jvm_rows_join() */
    size_t len, cap;
};
void jvm_rows_done(struct jvm_rows *r);
#define cleanup_jvm_rows __attribute__((cleanup(jvm_rows_done)))

/* From the answer to /api/v0/jvms. -EBADMSG when it is none. */
must_check int jvm_rows_of_agent(struct jvm_rows *r, struct str json, struct err *err);
/* Adds what was found in /proc. `asked`: the rows are an agent's; a JVM it does not know is no target of its
 * configuration. */
void jvm_rows_join(struct jvm_rows *r, const struct local_list *list, bool asked);

/* Columns for people: control characters escaped, one line per JVM. */
void jvm_rows_put_table(const struct jvm_rows *r, struct buf *out);
void jvm_rows_put_json(const struct jvm_rows *r, bool asked, const struct local_list *list, struct buf *out);
