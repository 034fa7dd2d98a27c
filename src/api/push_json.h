/* push.v1.PushRequest in protobuf's JSON form, as push_message_decode() for protobuf. Source: spec store-query §1.4. */
#pragma once

#include "store/push_message.h"

/* Everything is copied into the message's arena. -EINVAL with "unmarshal message: …". */
must_check int push_json_decode(struct push_message *m, struct str body, struct err *err);
