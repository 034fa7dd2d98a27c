/* Messages of protobuf from their JSON encoding, by their tables. For a parser process (pyroscope/query_body.h), as the
 * text is untrusted. Source: protobuf language guide, "JSON Mapping"; spec store-query §1.4.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "pyroscope/proto_message.h"

/* Appends the message that `text` is. Fields that are not in the table, and unknown names of an enum, are skipped.
 * -EINVAL: "unmarshal message: unmarshal into *querierv1.SeriesRequest: …". */
must_check int proto_json_read(const struct proto_message *m, struct str text, struct buf *out, struct err *err);
