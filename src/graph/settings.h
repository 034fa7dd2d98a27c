/* The blocks that configure the program itself: logging, tracing, http, livedebugging.
 *
 * Only `logging` has an effect. The others are known so that shared configurations load: their attributes are checked, and what
 * asks for protection that is not there (http auth and tls) draws a warning. Source: spec alloy-language §6.7, §8.4.
 */
#pragma once

#include <stdbool.h>

#include "base/log.h"
#include "base/str.h"
#include "lang/ast.h"
#include "lang/diag.h"
#include "lang/scope.h"

struct settings {
    enum log_level log_level;
    enum log_format log_format;
};
/* What holds without any block. */
extern const struct settings settings_default;

bool settings_has(struct str block_name);
/* Decodes one such block into *s. Problems go to ds; then *s is unchanged and -EINVAL is returned. */
must_check int settings_decode(const struct ast_stmt *block, const struct scope *scope, struct settings *s,
                               struct diags *ds);
void settings_apply(const struct settings *s);
