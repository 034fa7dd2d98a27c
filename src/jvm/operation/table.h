/* The table of operations for priv_start() and priv_serve(); the number of an operation is its index. */
#pragma once

#include "jvm/operation/request.h"

extern const struct priv_op jvm_ops[JVM_OP_COUNT + 1]; /* NULL-name terminated */
