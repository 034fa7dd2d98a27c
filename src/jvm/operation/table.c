#include "jvm/operation/table.h"

#include "jvm/operation/operations.h"
#include "jvm/operation/reading.h"
#include "jvm/operation/scan.h"

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

const struct priv_op jvm_ops[JVM_OP_COUNT + 1] = {
    [JVM_OP_START] = {"smolder-start", op_start},       [JVM_OP_ROLL] = {"smolder-roll", op_roll},
    [JVM_OP_DUMP] = {"smolder-dump", op_dump},          [JVM_OP_STOP] = {"smolder-stop", op_stop},
    [JVM_OP_METRICS] = {"smolder-metrics", op_metrics}, [JVM_OP_INSTALL] = {"smolder-install", op_install},
    [JVM_OP_SCAN] = {"smolder-scan", jvm_op_scan},      [JVM_OP_READ] = {"smolder-read", jvm_op_read, true},
    [JVM_OP_CLOSE] = {"smolder-close", jvm_op_close},   [JVM_OP_LOOK] = {"smolder-look", op_look},
};
