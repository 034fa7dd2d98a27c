/* Loads a configuration and checks what is said of it. Header only. */
#pragma once

#include <string.h>

#include "base/cleanup.h"
#include "graph/controller.h"
#include "lang/diag_text.h"
#include "test.h"

/* `want`: the lines of the diagnostics, "" when all is well. */
static inline void load_check(int line, struct controller *c, const char *text, const char *want)
{
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_buf struct buf out = BUF_INIT(10000);
    const int code = controller_load(c, &(struct config_file){"f", text, strlen(text)}, 1, &ds);
    for (size_t i = 0; i < ds.len; i++) {
        if (i > 0)
            buf_byte(&out, '\n');
        diag_line(&ds.items[i], &out);
    }
    if (strcmp(buf_cstr(&out), want) != 0 || (code < 0) != (want[0] != '\0'))
        FAIL_("line %d: load gives %d and\n%s\n  want\n%s", line, code, buf_cstr(&out), want);
}
