/* The blocks that configure the program itself: logging, http, livedebugging, tracing.
 *
 * They are decoded with the rest of a configuration, and come into force together with it: settings_decode() only
 * checks and collects. `tracing` is checked and has no effect, nor has `write_to` of `logging`; both draw a warning.
 * Source: spec alloy-language §6.7, §8.4.
 */
#pragma once

#include <stdbool.h>

#include "base/log.h"
#include "base/str.h"
#include "lang/ast.h"
#include "lang/diag.h"
#include "lang/scope.h"
#include "settings/http_block.h"

struct settings {
    enum log_level log_level;
    enum log_format log_format;
    bool live_debugging;
    struct http_block http;
};
/* What holds without any block. */
extern const struct settings settings_default;

bool settings_has(struct str block_name);
/* What such a block may hold; NULL: it is none. */
const struct schema *settings_schema(struct str block_name);
/* Whether it asks for what can be impossible, such as a certificate that is not there: what cannot be prepared is its
 * fault. */
bool settings_can_fail(struct str block_name);
/* Decodes one such block into *s. Problems go to ds; then *s is unchanged and -EINVAL is returned. */
must_check int settings_decode(const struct ast_stmt *block, const struct scope *scope, struct settings *s,
                               struct diags *ds);
/* Puts in force what this layer owns, the log; the rest is the program's, see controller_options. */
void settings_apply(const struct settings *s);
void settings_done(struct settings *s);
#define cleanup_settings __attribute__((cleanup(settings_done)))
