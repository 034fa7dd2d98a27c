/* The system properties that determine whether and where an OpenJ9 JVM can be attached to.
 *
 * OpenJ9 reads JAVA_TOOL_OPTIONS, OPENJ9_JAVA_OPTIONS or IBM_JAVA_OPTIONS, the command line and _JAVA_OPTIONS, in this
 * order; later ones take precedence. Files of options (-Xoptionsfile, @argfiles) are not read: a JVM that is switched
 * off there is one without an attach directory.
 * Facts: OpenJ9 openj9.internal.tools.attach.target.{AttachHandler,CommonDirectory}, runtime/vm/vmargs.c.
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "jvm/probe/view.h"

enum { OPENJ9_PATH_MAX = 512, OPENJ9_ID_MAX = 64 };

struct openj9_options {
    bool attach_off;                 /* -Dcom.ibm.tools.attach.enable=no */
    char directory[OPENJ9_PATH_MAX]; /* -Dcom.ibm.tools.attach.directory, "/tmp/.com_ibm_tools_attach" */
    char id[OPENJ9_ID_MAX];          /* -Dcom.ibm.tools.attach.id, or else the PID as the JVM sees it */
};

/* From what was read of its command line and environment. */
void openj9_options_read(const struct jvm_view *v, struct openj9_options *ret);
