/* push.v1.PushRequest in protobuf's JSON form (protobuf language guide, "JSON Mapping"). Source: spec store-query §1.4. */
#pragma once

#include "pyroscope/push_message.h"

/* As push_message_decode(), but everything is copied into the message's arena. -EINVAL with "unmarshal message: …". */
must_check int push_json_decode(struct push_message *m, struct str body, struct err *err);
