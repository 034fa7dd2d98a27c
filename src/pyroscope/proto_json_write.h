/* Messages of protobuf in their JSON encoding, by their tables: for those of our own. Source: as of
 * pyroscope/proto_json_read.h.
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"
#include "pyroscope/proto_message.h"

/* Appends `message` as JSON. Fields that are not in the table are left out. */
void proto_json_write(const struct proto_message *m, struct str message, struct buf *out);
