/* A block as its body's plan knows it: facts of the text that no evaluation changes.
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
    BLOCK_ARGUMENT, /* what the module was given */
    BLOCK_EXPORT,   /* what the module gives */
    BLOCK_INPUT,    /* of a template: its variable, or something of the body around it; no block of the text */
    BLOCK_SKIPPED,  /* unknown, or needs nothing but unknown ones; allowed by an option */
    BLOCK_DECLARE,
    BLOCK_SETTING, /* of the program: logging, http, … */
    BLOCK_TYPES
};

struct block {
    enum block_type type;
    bool is_refused;                   /* it was reported; its plan never runs */
    const struct component_def *def;   /* BLOCK_COMPONENT, BLOCK_IMPORT; NULL: refused */
    const struct ast_stmt *stmt;       /* NULL: BLOCK_INPUT */
    const struct plan *plan;           /* the one it is part of */
    char *id;                          /* "pyroscope.write.staging" */
    size_t place;                      /* in plan.blocks */
    size_t rank;                       /* in plan.order */
    struct definitions_import *import; /* BLOCK_IMPORT and what is left out of these: its entry; NULL: refused */
    const char **references_to, **referenced_by; /* ids of components, NULL-terminated; the arrays are owned */
};

struct block *block_new(enum block_type type, const struct ast_stmt *stmt, char *id);
void block_free(struct block *b);

/* Says what is wrong with its arguments as they are written, where what they may be is known. */
void block_check_options(const struct block *b, struct diags *ds);
/* Whether it is something that people see at work: components, custom components and foreach blocks. */
bool block_is_shown(const struct block *b);
/* Whether expressions can read it. */
bool block_has_value(const struct block *b);
