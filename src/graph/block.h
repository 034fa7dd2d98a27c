/* A block of a plan: its type, definition, statement, ID and position. Constant once the plan is complete.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "graph/component.h"
#include "graph/definitions.h"
#include "lang/ast.h"

enum block_type {
    BLOCK_COMPONENT,
    BLOCK_CUSTOM,   /* an instance of a declare */
    BLOCK_FOREACH,  /* makes a module for each item */
    BLOCK_IMPORT,   /* brings definitions */
    BLOCK_ARGUMENT, /* of a module */
    BLOCK_EXPORT,   /* of a module */
    BLOCK_INPUT,    /* of a template: its variable, or a block of an enclosing body; has no statement */
    BLOCK_SKIPPED,  /* unknown, or depends on skipped blocks only (--config.skip-unknown) */
    BLOCK_DECLARE,
    BLOCK_SETTING, /* of the program: logging, http, … */
    BLOCK_TYPES
};

struct block {
    enum block_type type;
    bool is_rejected;                            /* has a reported error; the plan is never run */
    const struct component_def *def;             /* BLOCK_COMPONENT, BLOCK_IMPORT; NULL: rejected */
    const struct ast_stmt *stmt;                 /* NULL: BLOCK_INPUT */
    const struct plan *plan;                     /* the one it is part of */
    char *id;                                    /* "pyroscope.write.staging" */
    size_t place;                                /* in plan.blocks */
    size_t rank;                                 /* in plan.order */
    struct definitions_import *import;           /* of an import, also a skipped one; NULL: rejected */
    const char **references_to, **referenced_by; /* ids of components, NULL-terminated; the arrays are owned */
};

struct block *block_new(enum block_type type, const struct ast_stmt *stmt, char *id);
void block_free(struct block *b);

/* Static checks of its arguments, where the option table is known. */
void block_check_options(const struct block *b, struct diags *ds);
/* Components, custom components and foreach blocks, which APIs list. */
bool block_is_shown(const struct block *b);
/* Whether expressions can reference it. */
bool block_has_value(const struct block *b);
