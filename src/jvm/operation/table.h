/* The table of operations for priv_start() and priv_serve(); the number of an operation is its index. */
#pragma once

#include "jvm/operation/request.h"

/* As jvm_ops, and operations on a JVM may enter its network and IPC namespaces, which only an attach to OpenJ9 does
 * (jvm/attach/openj9.h). Static. */
const struct priv_op *jvm_ops_entering(void);

extern const struct priv_op jvm_ops[JVM_OP_COUNT + 1]; /* NULL-name terminated */
