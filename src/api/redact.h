/* Texts without what must not leave the machine, for support bundles. Better too little is shown than too much. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "lang/value.h"

/* Whether what goes by this name (an attribute, a variable of the environment) is likely a secret: "password", "AWS_SECRET_KEY", … */
bool redact_is_secret(struct str name);

/* A configuration: strings that belong to such a name are "(secret)", wherever they are below it, and so are private keys in PEM;
 * comments are gone. What does not parse is left out as a whole. */
void redact_config(const char *name, struct str text, struct buf *out);

/* A value without strings and numbers that belong to such a name. New reference; NULL for NULL. */
struct value *redact_value(struct value *v);

/* Any text: user and password of URLs are gone. */
void redact_urls(struct str text, struct buf *out);
