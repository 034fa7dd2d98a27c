/* The commands and replies of OpenJ9's attach protocol, translated from and to those of HotSpot (jvm/attach/attach.h),
 * so that callers need to know one dialect only.
 *
 * Facts: OpenJ9 openj9.internal.tools.attach.target.{Command,Response,Attachment,DiagnosticUtils}; async-profiler 4.6
 * src/jattach/jattach_openj9.c for the commands that have no name in common.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Appends `command` ("load", "jcmd", "threaddump", "properties", …) with up to three arguments (NULL = none), and its
 * final NUL. -ENOTSUP for a command that OpenJ9 does not have, -EINVAL for a library path with a comma, which separates
 * the path from its options there. */
must_check int openj9_command(const char *command, const char *const args[3], struct buf *out, struct err *err);

/* Appends a reply, without its NUL, as HotSpot would have put it: "0\nreturn code: N\n" of a library that was loaded,
 * "0\n" and the text of a command, "-1\n" and the reason of a failure. */
void openj9_reply(const char *command, struct str reply, struct buf *out);
