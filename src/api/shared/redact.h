/* Redacts configurations and values for HTTP clients and support bundles. base/secret.h defines what is secret; other
 * texts are passed through secret_hide().
 */
#pragma once

#include "base/buf.h"
#include "lang/value.h"

/* A configuration with its secrets hidden (lang/secrets.h) and without its comments. What does not parse is left out as a whole. */
void redact_config(const char *name, struct str text, struct buf *out);

/* A value with its secrets hidden: strings and numbers of secret names, headers but for harmless ones, and what has the form of a
 * secret in any string. Targets become objects. New reference; NULL for NULL. */
struct value *redact_value(struct value *v);
