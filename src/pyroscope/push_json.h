/* push.v1.PushRequest in the JSON encoding of protobuf (language guide, "JSON Mapping"). Source: spec store-query
 * §1.4. */
#pragma once

#include "pyroscope/push_message.h"

/* As push_message_decode(), with all data copied into the arena of the message. -EINVAL: "unmarshal message: …". */
must_check int push_json_decode(struct push_message *m, struct str body, struct err *err);
