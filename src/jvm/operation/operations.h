/* The operations of jvm/operation/client.h as they run inside a child of the helper. Private to this folder. */
#pragma once

#include "jvm/operation/request.h"

/* Each fills *reply whatever happens. Descriptors in it are the caller's. `deadline_ms` is when the child will be
 * ended. */
typedef void jvm_operation(const struct jvm_request *s, int64_t deadline_ms, struct jvm_reply *reply);

jvm_operation operation_start, operation_roll, operation_dump, operation_stop, operation_metrics, operation_look,
    operation_install;
