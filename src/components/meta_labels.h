/* Labels of targets from answers in JSON: of Docker, Swarm, Consul, Nomad.
 *
 * Accessors accept what is not there: NULL, another kind, a missing member. Names that come from other systems are made
 * label names: each character outside [A-Za-z0-9_] becomes `_`. Empty values are left out: for rules they are the same.
 * Source: spec components §5.0.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flow/labels.h"
#include "flow/targets.h"
#include "lang/value.h"

/* Borrowed; NULL if `v` is no object or has no such member. */
const struct value *meta_member(const struct value *v, const char *name);
/* "a.b.c". */
const struct value *meta_path(const struct value *v, const char *path);
/* A string; "" for anything else. Borrowed. */
struct str meta_text(const struct value *v, const char *path);
int64_t meta_number(const struct value *v, const char *path); /* 0: none */
bool meta_flag(const struct value *v, const char *path);
/* Members of an object or items of an array; 0 for anything else. */
size_t meta_len(const struct value *v);
/* Items of an array; 0 for anything else. */
size_t meta_items(const struct value *v);

void meta_put(struct labels_builder *b, const char *label, struct str value);
void meta_put_number(struct labels_builder *b, const char *label, int64_t value);
void meta_put_flag(struct labels_builder *b, const char *label, bool value); /* "true", "false" */
/* A label prefix_KEY for each member of the object `map` that is a string. */
void meta_put_map(struct labels_builder *b, const char *prefix, const struct value *map);
/* ",a,b,": the separator at both ends, so that a rule can look for ",a,". Nothing where there is no tag. */
void meta_put_tags(struct labels_builder *b, const char *label, const struct value *tags, const char *separator);
/* __address__: "10.0.0.1:80", "[::1]:80". */
void meta_put_address(struct labels_builder *b, struct str host, int64_t port);

/* As a part of a URL, percent-encoded. */
void meta_put_escaped(struct buf *out, struct str text);

/* A growing list of targets. */
struct meta_targets {
    struct targets list;
    size_t cap;
};
/* Takes the reference. */
void meta_add(struct meta_targets *t, struct labels *target);
