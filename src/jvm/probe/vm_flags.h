/* The HotSpot options that decide whether and how a JVM may be attached to, from every place they can stand.
 *
 * Sources, in the order HotSpot reads them: JAVA_TOOL_OPTIONS, the command line (the `java` launcher adds JDK_JAVA_OPTIONS and expands
 * @argfiles), _JAVA_OPTIONS; each may name -XX:VMOptionsFile and -XX:Flags. Later ones win.
 * Facts: HotSpot share/runtime/arguments.cpp; JDK java.base/share/native/libjli/args.c.
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "jvm/probe/view.h"

struct jvm_options {
    bool attach_off;        /* -XX:+DisableAttachMechanism */
    bool reduced_signals;   /* -Xrs, -XX:+ReduceSignalUsage */
    bool no_dynamic_agents; /* -XX:-EnableDynamicAgentLoading */
    bool complete;          /* every source was found and read; false for a JVM inside another program than `java` */
};

/* From its command line, its environment and the files named there, beneath its root or working directory; those are opened with the
 * rights this process has by now. */
void jvm_options_read(const struct jvm_view *v, struct jvm_options *ret);

/* Applies one option; others are ignored. */
void jvm_options_apply(struct jvm_options *o, struct str option);
/* Applies options separated by blanks, with quotes as in JAVA_TOOL_OPTIONS. */
void jvm_options_apply_text(struct jvm_options *o, struct str text);

/* Whether the value of this option of the `java` launcher is the next argument: "-cp". Source: java(1), JDK 8 to 25. */
bool jvm_option_takes_argument(struct str option);
