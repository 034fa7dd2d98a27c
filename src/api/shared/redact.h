/* Redacts configurations and values for HTTP clients and support bundles. base/secret.h defines what is secret; other
 * texts are passed through secret_hide().
 */
#pragma once

#include "base/buf.h"
#include "lang/value.h"

/* Appends a configuration with secrets redacted (lang/secrets.h) and comments removed; a placeholder if it does not
 * parse. */
void redact_config(const char *name, struct str text, struct buf *out);

/* Redacts strings and numbers with secret names, headers except harmless ones, and secrets within strings. Targets
 * become objects. New reference; NULL for NULL. */
struct value *redact_value(struct value *v);
