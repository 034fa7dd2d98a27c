/* What stacks are made of, each thing kept once: strings, functions, locations, stacks, label sets.
 *
 * Identity is content, never an id of some file, so whatever is added from several chunks or several profiles merges
 * by itself. Everything is named by a small dense number; numbers are valid until symbols_done(). Several profiles
 * share one set of symbols (one per type of a conversion). Not thread safe, one owner.
 *
 * Simplifications against profile.proto, fit for Java: a location is (function, line); inlined lines become frames of
 * their own, and a mapping is no more than the name of a function's library. Who writes profiles of others again keeps
 * what that leaves out beside them, as places. Memory is
 * capped: every adding function gives SYMBOLS_FULL beyond it, and for SYMBOLS_FULL as an argument, so that a chain of
 * calls is checked once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/id_map.h"
#include "base/str.h"
#include "pprof/hash_index.h"

#define SYMBOLS_FULL UINT32_MAX

struct pprof_function {
    uint32_t name, system_name, filename; /* strings */
    uint32_t mapping;                     /* string: the native library it is in; "" = the program itself */
    int32_t start_line;
};
struct pprof_location {
    uint32_t function;
    int32_t line;
    uint32_t place; /* number + 1 of where it is from; 0 = nobody keeps that */
};
/* A part of a program's memory, and the file there. */
struct pprof_mapping {
    uint64_t start, limit, offset;
    uint32_t filename, build_id; /* strings */
    uint32_t flags;              /* has functions, file names, line numbers, inlined frames: bit by bit */
};
struct pprof_line {
    uint32_t function;
    int32_t line, column;
};
/* A location of profile.proto whole, of which each line is a location here; without lines it has one all the same. */
struct pprof_place {
    uint64_t address;
    uint32_t mapping; /* number + 1; 0 = none */
    uint32_t folded;  /* 1: other inlined lines may have been left out */
    uint32_t count;
    const struct pprof_line *lines; /* innermost first */
};
struct pprof_stack {
    const uint32_t *locations; /* leaf first */
    uint32_t count;
};
struct pprof_label {
    uint32_t key, str, unit; /* strings; a label is text, or a number with a unit */
    uint32_t zero;           /* label sets are compared by their bytes: nothing may be left to padding */
    int64_t num;
};
struct pprof_labels {
    const struct pprof_label *labels; /* in the order given */
    uint32_t count;
};

struct symbols {
    struct arena arena;
    bool keeps_places;   /* what is decoded keeps its mappings, addresses and inlined lines */
    bool unsigned_lines; /* a line of -1 is encoded as 4294967295, as the reference does */
    size_t stacks_max;   /* 0 = none */
    size_t encoded_left; /* bytes that names, functions and locations may still come to in a profile; SIZE_MAX = any */
    struct str *strings; /* string 0 is "" */
    struct pprof_function *functions;
    struct pprof_location *locations;
    struct pprof_stack *stacks;
    struct pprof_labels *label_sets; /* set 0 is empty */
    size_t string_count, function_count, location_count, stack_count, label_set_count;
    size_t string_cap, function_cap, location_cap, stack_cap, label_set_cap; /* private from here */
    struct pprof_mapping *mappings;
    struct pprof_place *places;
    size_t mapping_count, place_count, mapping_cap, place_cap;
    struct hash_index by_text, by_stack, by_labels, by_place;
    /* Most names are of one function, and most functions have one location: number + 1, by string and by function.
     * The rest are found by content. */
    struct id_map function_of, location_of;
    struct hash_index more_functions, more_locations;
};

/* `max` caps the bytes of all content. */
void symbols_init(struct symbols *s, size_t max);
void symbols_done(struct symbols *s);
#define cleanup_symbols __attribute__((cleanup(symbols_done)))

/* About so many functions are to come, or are there: saves growing in steps. Bounded, as the number may be
 * anybody's. */
void symbols_expect(struct symbols *s, size_t functions);

/* The text is copied. */
uint32_t symbols_string(struct symbols *s, struct str text);
/* As symbols_string of both with that between them. */
uint32_t symbols_joined(struct symbols *s, struct str left, char between, struct str right);
uint32_t symbols_function(struct symbols *s, struct pprof_function f);
uint32_t symbols_location(struct symbols *s, struct pprof_location l);
uint32_t symbols_stack(struct symbols *s, const uint32_t *locations, size_t count);
uint32_t symbols_labels(struct symbols *s, const struct pprof_label *labels, size_t count);

/* A function called by its address, where there are no symbols. */
uint32_t symbols_address(struct symbols *s, uint64_t address);
/* The mapping with the same file, offset and size, wherever it lies: addresses in it are to be moved by the difference
 * of the starts. */
uint32_t symbols_mapping(struct symbols *s, struct pprof_mapping m);
/* The lines are copied. */
uint32_t symbols_place(struct symbols *s, struct pprof_place p);

static inline struct str symbols_name(const struct symbols *s, uint32_t location)
{
    return s->strings[s->functions[s->locations[location].function].name];
}
