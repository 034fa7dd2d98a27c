#include "jvm/operation/table.h"

#include <linux/capability.h>
#include <string.h>

#include "jvm/operation/crash.h"
#include "jvm/operation/ending.h"
#include "jvm/operation/examine.h"
#include "jvm/operation/operations.h"
#include "jvm/operation/reading.h"
#include "jvm/operation/scan.h"
#include "jvm/operation/users.h"
#include "os/rights.h"

static void run_operation(struct priv_call *call, jvm_operation *operation)
{
    struct jvm_request request;
    struct degraded degraded;
    struct jvm_reply reply = JVM_REPLY_INIT(JVM_FAILED);
    if (jvm_request_decode(call->in, call->in_len, &degraded, &request))
        operation(&request, call->deadline_ms, &reply);
    jvm_reply_encode(&reply, call);
}

static void op_start(struct priv_call *call)
{
    run_operation(call, operation_start);
}

static void op_roll(struct priv_call *call)
{
    run_operation(call, operation_roll);
}

static void op_dump(struct priv_call *call)
{
    run_operation(call, operation_dump);
}

static void op_stop(struct priv_call *call)
{
    run_operation(call, operation_stop);
}

static void op_metrics(struct priv_call *call)
{
    run_operation(call, operation_metrics);
}

static void op_look(struct priv_call *call)
{
    run_operation(call, operation_look);
}

static void op_install(struct priv_call *call)
{
    run_operation(call, operation_install);
}

/* Another process's links, maps and environment are for its user and for those who may trace it; what it keeps from
 * others by its mode is read as well. */
#define CAPS_PROC (RIGHTS_CAP(CAP_SYS_PTRACE) | RIGHTS_CAP(CAP_DAC_READ_SEARCH))
/* To become another user for good (os/rights.h). */
#define CAPS_USER (RIGHTS_CAP(CAP_SETUID) | RIGHTS_CAP(CAP_SETGID) | RIGHTS_CAP(CAP_SETPCAP))

/* One operation on a JVM: first what needs privilege, then the rest as its user. */
#define ON_TARGET(title, function, longest)                                                                            \
    {                                                                                                                  \
        .name = (title), .run = (function), .capabilities = CAPS_PROC | CAPS_USER, .in_max = JVM_REQUEST_MAX,          \
        .max_ms = (longest)                                                                                            \
    }

/* ARCHITECTURE.md, "Privileges of each operation", says what for. */
const struct priv_op jvm_ops[JVM_OP_COUNT + 1] = {
    [JVM_OP_START] = ON_TARGET("smolder-start", op_start, JVM_START_MS),
    [JVM_OP_ROLL] = ON_TARGET("smolder-roll", op_roll, JVM_START_MS),
    [JVM_OP_DUMP] = ON_TARGET("smolder-dump", op_dump, JVM_COMMAND_MS),
    [JVM_OP_STOP] = ON_TARGET("smolder-stop", op_stop, JVM_STOP_MS),
    [JVM_OP_METRICS] = ON_TARGET("smolder-metrics", op_metrics, JVM_COMMAND_MS),
    [JVM_OP_INSTALL] = {.name = "smolder-install",
                        .run = op_install,
                        .capabilities = CAPS_USER,
                        .in_max = JVM_REQUEST_MAX,
                        .max_ms = JVM_START_MS},
    [JVM_OP_SCAN] = {.name = "smolder-scan",
                     .run = jvm_op_scan,
                     .capabilities = CAPS_PROC,
                     .in_max = JVM_SCAN_BYTES,
                     .max_ms = JVM_SCAN_MS},
    [JVM_OP_READ] = {.name = "smolder-read",
                     .run = jvm_op_read,
                     .again = true,
                     .capabilities = CAPS_USER,
                     .in_max = JVM_READ_BYTES,
                     .max_ms = JVM_READ_MS,
                     .fds_max = 1},
    [JVM_OP_CLOSE] = {.name = "smolder-close",
                      .run = jvm_op_close,
                      .capabilities = CAPS_USER,
                      .in_max = 1,
                      .max_ms = JVM_CLOSE_MS,
                      .fds_max = 1},
    [JVM_OP_EXAMINE] = ON_TARGET("smolder-examine", jvm_op_examine, JVM_EXAMINE_MS),
    [JVM_OP_CRASH] = {.name = "smolder-crash",
                      .run = jvm_op_crash,
                      .capabilities = CAPS_USER | RIGHTS_CAP(CAP_SYSLOG),
                      .in_max = JVM_CRASH_BYTES,
                      .max_ms = JVM_CRASH_MS,
                      .fds_max = 1},
    [JVM_OP_LOOK] = ON_TARGET("smolder-look", op_look, JVM_COMMAND_MS),
    [JVM_OP_ENDING] = {.name = "smolder-ending",
                       .run = jvm_op_ending,
                       .capabilities = RIGHTS_CAP(CAP_SYS_PTRACE),
                       .in_max = JVM_ENDING_BYTES,
                       .max_ms = JVM_ENDING_MS},
    [JVM_OP_USERS] = {.name = "smolder-users",
                      .run = jvm_op_users,
                      .capabilities = CAPS_PROC,
                      .in_max = JVM_USERS_BYTES,
                      .max_ms = JVM_USERS_MS},
};

const struct priv_op *jvm_ops_entering(void)
{
    static struct priv_op ops[JVM_OP_COUNT + 1];
    memcpy(ops, jvm_ops, sizeof ops);
    for (size_t i = 0; i < JVM_OP_COUNT; i++)
        if ((ops[i].capabilities & CAPS_USER) && (ops[i].capabilities & CAPS_PROC))
            ops[i].capabilities |= RIGHTS_CAP(CAP_SYS_ADMIN);
    return ops;
}
