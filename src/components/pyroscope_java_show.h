/* The JVMs of pyroscope.java as an operator sees them: hooks of struct component_def. Loop thread. */
#pragma once

#include "components/pyroscope_java_state.h"

void java_show_jvm(const struct jvm *v, jvm_status_visit *visit, void *arg);
/* All, in the order of their process IDs. */
void java_show_jvms(void *state, jvm_status_visit *visit, void *arg);
/* Those that ended, the last one first. */
void java_show_ended(void *state, jvm_status_visit *visit, void *arg);
/* New reference. */
struct value *java_show_debug_info(void *state);
