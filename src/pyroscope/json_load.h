/* JSON of clients, read by libjansson. For a parser process, as it is untrusted. */
#pragma once

#include <jansson.h>

#include "base/str.h"

/* Keys of objects are hashed with a seed that a client cannot know. NULL: `why` has the library's words. */
json_t *json_load(struct str text, json_error_t *why);
