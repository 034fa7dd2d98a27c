/* A session's copy of its settings. */
#pragma once

#include "jvm/session.h"

void session_config_copy(struct jvm_session_config *to, const struct jvm_session_config *from);
void session_config_done(struct jvm_session_config *c);

/* Whether what is sampled changes, so that the session rolls over. */
bool session_config_samples_differ(const struct jvm_session_config *a, const struct jvm_session_config *b);
/* Whether what was refused may be welcome now. */
bool session_config_rules_differ(const struct jvm_session_config *a, const struct jvm_session_config *b);
