/* The HotSpot flags that determine whether and how a JVM can be attached to, from all their sources.
 *
 * In the order HotSpot reads them: JAVA_TOOL_OPTIONS, the command line (the `java` launcher adds JDK_JAVA_OPTIONS and
 * expands @argfiles), _JAVA_OPTIONS; each may name -XX:VMOptionsFile and -XX:Flags. Later ones take precedence.
 * Facts: HotSpot share/runtime/arguments.cpp; JDK java.base/share/native/libjli/args.c.
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "jvm/probe/view.h"

struct vm_flags {
    bool attach_off;        /* -XX:+DisableAttachMechanism */
    bool reduced_signals;   /* -Xrs, -XX:+ReduceSignalUsage */
    bool no_dynamic_agents; /* -XX:-EnableDynamicAgentLoading */
    bool complete;          /* every source was found and read; false for a JVM inside another program than `java` */
};

/* From its command line, its environment and the files named there, beneath its root or working directory; those are
 * opened with the rights this process has by now. */
void vm_flags_read(const struct jvm_view *v, struct vm_flags *ret);

/* Is it one of the flags above, by HotSpot's name ("ReduceSignalUsage")? Sets it; others are ignored. */
bool vm_flags_knows(struct str flag);
void vm_flags_set(struct vm_flags *o, struct str flag, bool on);

/* Applies options separated by blanks, with quotes as in JAVA_TOOL_OPTIONS. */
void vm_flags_apply_text(struct vm_flags *o, struct str text);
