/* Read access to the running graph for APIs and metrics. Results are valid until control returns to the loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flow/jvm_status.h"
#include "graph/controller.h"
#include "graph/health.h"
#include "lang/value.h"

struct schema;

struct component_view {
    const char *id;        /* unique in the program: "test.node.a", inside a module "mod.x/test.node.a" */
    const char *local_id;  /* unique in its module: "test.node.a" */
    const char *module_id; /* the module it is part of: "mod.x"; "" at the root */
    const char *name, *label;
    enum health_state health;
    const char *message;
    int64_t updated_ns;                                      /* since the epoch, when the health last changed */
    bool is_queued;                                          /* is to be evaluated soon */
    bool is_measured;                                        /* there are to be metrics of it */
    uint64_t sent;                                           /* things handed on since it was made */
    struct value *arguments, *exports;                       /* borrowed objects, NULL where there are none */
    const struct schema *schema;                             /* of the arguments; NULL: custom, all are attributes */
    const char *const *references_to, *const *referenced_by; /* NULL-terminated local ids */
    const char *const *created_modules;                      /* NULL-terminated module ids; NULL: makes none */
};
/* Calls visit for every component of the root, in id order, until it returns false: components, custom components and
 * foreach blocks, no imports. Cheap: what it shows is kept until it changes. */
void controller_each(struct controller *c, bool (*visit)(void *arg, const struct component_view *v), void *arg);
/* The same for one module, by its id ("" is the root). False: there is no such module. */
bool controller_each_in(struct controller *c, const char *module_id,
                        bool (*visit)(void *arg, const struct component_view *v), void *arg);
/* The same for the root and, after each component, for the modules it made. */
void controller_each_deep(struct controller *c, bool (*visit)(void *arg, const struct component_view *v), void *arg);
/* The imports of the root and of the modules that components made: no components, but they have a health. */
void controller_each_import(struct controller *c, bool (*visit)(void *arg, const struct component_view *v), void *arg);
/* One component, by its id, for somebody who looks at its exports (graph/readers.h); false when there is none. *ret is
 * good until control returns to the loop. */
bool controller_view(struct controller *c, const char *id, struct component_view *ret);
/* New reference, or NULL where the component has none. */
struct value *controller_debug_info(struct controller *c, const char *id);
/* Calls visit for every JVM that the component profiles or is to profile. False: the component profiles none. */
bool controller_jvms(struct controller *c, const char *id, jvm_status_visit *visit, void *arg);
/* The same for those that ended not long ago, as far as it remembers any. */
void controller_jvms_ended(struct controller *c, const char *id, jvm_status_visit *visit, void *arg);
/* Lets `r` listen to the recording of a JVM of that component; as its `record` hook (graph/component.h). */
must_check int controller_record(struct controller *c, const char *id, pid_t pid, uint64_t start_time,
                                 struct jvm_recorder *r, struct err *err);
