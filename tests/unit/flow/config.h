/* Text of the language to records and values, for the tests of this folder. */
#pragma once

#include "lang/eval.h"
#include "lang/parser.h"
#include "lang/schema.h"
#include "test.h"

/* Decodes the statements of `text`; false with the first problem in `problem` (512 bytes). */
static inline bool decode_text(const struct schema *s, const char *text, void *record, char *problem)
{
    struct err err = {0};
    cleanup_source struct source *source = NULL;
    cleanup_ast struct ast_file *file = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    const bool ok = source_new("", str_of(text), &source, &err) == 0 && parse_file(source, &file, &ds) == 0 &&
                    schema_decode(s, &file->body, source_range(source, 0, strlen(text)), NULL, record, &ds) == 0;
    snprintf(problem, ERR_MAX, "%s", ds.len > 0 ? ds.items[0].message : err.text);
    return ok;
}

/* New reference. */
static inline struct value *value_of_text(const char *text)
{
    struct err err = {0};
    cleanup_source struct source *source = NULL;
    cleanup_ast struct ast_file *file = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    struct value *v = NULL;
    CHECK(source_new("", str_of(text), &source, &err) == 0 && parse_expression(source, &file, &ds) == 0 &&
          eval(file->expr, NULL, &v, &ds) == 0);
    return v;
}
