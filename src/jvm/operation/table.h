/* The operations on JVMs that the helper knows, for priv_start() and priv_serve(); an operation's number is its index. */
#pragma once

#include "jvm/operation/request.h"

extern const struct priv_op jvm_ops[JVM_OP_COUNT + 1]; /* NULL-name terminated */
