#include "pprof/symbols.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"

/* Room the index needs per item, counted against the cap along with the content. */
enum { INDEX_BYTES = 2 * sizeof(struct hash_index_slot) };

void symbols_init(struct symbols *s, size_t max)
{
    *s = (struct symbols){.arena = ARENA_INIT(max), .encoded_left = SIZE_MAX};
    (void)symbols_string(s, STR(""));
    (void)symbols_labels(s, NULL, 0);
}

void symbols_done(struct symbols *s)
{
    arena_done(&s->arena);
    free(s->strings);
    free(s->functions);
    free(s->locations);
    free(s->stacks);
    free(s->label_sets);
    free(s->mappings);
    free(s->places);
    hash_index_done(&s->by_text);
    id_map_done(&s->function_of);
    id_map_done(&s->location_of);
    hash_index_done(&s->more_functions);
    hash_index_done(&s->more_locations);
    hash_index_done(&s->by_stack);
    hash_index_done(&s->by_labels);
    hash_index_done(&s->by_place);
    *s = (struct symbols){0};
}

void symbols_expect(struct symbols *s, size_t functions)
{
    enum { EXPECTED_MAX = 1500 };
    const size_t n = functions < EXPECTED_MAX ? functions : EXPECTED_MAX;
    hash_index_expect(&s->by_text, n);
    xgrow(&s->strings, &s->string_cap, n, sizeof *s->strings); /* small: EXPECTED_MAX */
    xgrow(&s->functions, &s->function_cap, n, sizeof *s->functions);
    xgrow(&s->locations, &s->location_cap, n + n / 4, sizeof *s->locations);
}

/* About what they take in a profile, a string's text aside. */
enum { ENCODED_STRING = 11, ENCODED_FUNCTION = 12, ENCODED_LOCATION = 20 };

/* Counts an item outside the arena against the cap, and what it comes to in a profile; false when one is reached. */
static bool symbols_charge(struct symbols *s, size_t bytes, size_t encoded)
{
    bytes += INDEX_BYTES;
    if (bytes > s->arena.max - s->arena.used || encoded > s->encoded_left)
        return false;
    s->arena.max -= bytes;
    s->encoded_left -= encoded;
    return true;
}

static uint32_t symbols_new_string(struct symbols *s, struct hash_index_slot *slot, uint32_t hash, struct str text)
{
    if (!mem_grow(&s->strings, &s->string_cap, s->string_count + 1, sizeof *s->strings))
        return SYMBOLS_FULL;
    uint32_t n = (uint32_t)s->string_count++;
    s->strings[n] = text;
    hash_index_add(&s->by_text, slot, hash, n);
    return n;
}

/* NULL where there is no memory. */
static inline struct hash_index_slot *symbols_text_slot(struct symbols *s, struct str text, uint32_t *hash)
{
    if (!hash_index_reserve(&s->by_text))
        return NULL;
    *hash = (uint32_t)hash_bytes(text.p, text.n);
    return hash_index_find(&s->by_text, *hash, str_eq(s->strings[item], text));
}

uint32_t symbols_string(struct symbols *s, struct str text)
{
    uint32_t hash;
    struct hash_index_slot *slot = symbols_text_slot(s, text, &hash);
    if (!slot || slot->item)
        return slot ? slot->item - 1 : SYMBOLS_FULL;
    struct str copy =
        symbols_charge(s, sizeof copy, ENCODED_STRING + text.n) ? arena_str(&s->arena, text) : (struct str){0};
    return copy.p ? symbols_new_string(s, slot, hash, copy) : SYMBOLS_FULL;
}

static char *symbols_put(char *to, struct str s)
{
    if (s.n)
        memcpy(to, s.p, s.n);
    return to + s.n;
}

uint32_t symbols_joined(struct symbols *s, struct str left, char between, struct str right)
{
    char *const text = arena_room(&s->arena, left.n + 1 + right.n + 1);
    if (!text)
        return SYMBOLS_FULL;
    char *to = symbols_put(text, left);
    *to++ = between;
    *symbols_put(to, right) = '\0';
    const struct str joined = {text, left.n + 1 + right.n};
    uint32_t hash;
    struct hash_index_slot *slot = symbols_text_slot(s, joined, &hash);
    if (!slot || slot->item)
        return slot ? slot->item - 1 : SYMBOLS_FULL;
    if (!symbols_charge(s, sizeof joined, ENCODED_STRING + joined.n))
        return SYMBOLS_FULL;
    arena_keep(&s->arena, joined.n + 1);
    return symbols_new_string(s, slot, hash, joined);
}

static bool symbols_same_function(struct pprof_function a, struct pprof_function b)
{
    return a.name == b.name && a.system_name == b.system_name && a.filename == b.filename && a.mapping == b.mapping &&
           a.start_line == b.start_line;
}

static uint32_t symbols_new_function(struct symbols *s, struct pprof_function f)
{
    if (!symbols_charge(s, sizeof f, ENCODED_FUNCTION) ||
        !mem_grow(&s->functions, &s->function_cap, s->function_count + 1, sizeof *s->functions))
        return SYMBOLS_FULL;
    s->functions[s->function_count] = f;
    return (uint32_t)s->function_count++;
}

static uint32_t symbols_another_function(struct symbols *s, struct pprof_function f)
{
    if (!hash_index_reserve(&s->more_functions))
        return SYMBOLS_FULL;
    _Static_assert(sizeof f == 5 * sizeof f.name, "no padding: hashed by its bytes");
    const uint32_t hash = (uint32_t)hash_bytes(&f, sizeof f);
    struct hash_index_slot *slot =
        hash_index_find(&s->more_functions, hash, symbols_same_function(s->functions[item], f));
    if (slot->item)
        return slot->item - 1;
    const uint32_t n = symbols_new_function(s, f);
    if (n != SYMBOLS_FULL)
        hash_index_add(&s->more_functions, slot, hash, n);
    return n;
}

uint32_t symbols_function(struct symbols *s, struct pprof_function f)
{
    if (f.name == SYMBOLS_FULL || f.system_name == SYMBOLS_FULL || f.filename == SYMBOLS_FULL ||
        f.mapping == SYMBOLS_FULL)
        return SYMBOLS_FULL;
    uint32_t *const first = id_map_at(&s->function_of, f.name);
    if (!first)
        return SYMBOLS_FULL;
    if (*first == 0)
        *first = symbols_new_function(s, f) + 1; /* 0 again for SYMBOLS_FULL */
    else if (!symbols_same_function(s->functions[*first - 1], f))
        return symbols_another_function(s, f);
    return *first - 1;
}

static uint32_t symbols_new_location(struct symbols *s, struct pprof_location l)
{
    if (!symbols_charge(s, sizeof l, ENCODED_LOCATION) ||
        !mem_grow(&s->locations, &s->location_cap, s->location_count + 1, sizeof *s->locations))
        return SYMBOLS_FULL;
    s->locations[s->location_count] = l;
    return (uint32_t)s->location_count++;
}

static bool symbols_same_location(struct pprof_location a, struct pprof_location b)
{
    return a.function == b.function && a.line == b.line && a.place == b.place;
}

static uint32_t symbols_another_location(struct symbols *s, struct pprof_location l)
{
    if (!hash_index_reserve(&s->more_locations))
        return SYMBOLS_FULL;
    const uint32_t hash = hash_number((l.function | (uint64_t)(uint32_t)l.line << 32) + ((uint64_t)l.place << 20));
    struct hash_index_slot *slot =
        hash_index_find(&s->more_locations, hash, symbols_same_location(s->locations[item], l));
    if (slot->item)
        return slot->item - 1;
    const uint32_t n = symbols_new_location(s, l);
    if (n != SYMBOLS_FULL)
        hash_index_add(&s->more_locations, slot, hash, n);
    return n;
}

uint32_t symbols_location(struct symbols *s, struct pprof_location l)
{
    if (l.function == SYMBOLS_FULL || l.place == SYMBOLS_FULL)
        return SYMBOLS_FULL;
    uint32_t *const first = id_map_at(&s->location_of, l.function);
    if (!first)
        return SYMBOLS_FULL;
    if (*first == 0)
        *first = symbols_new_location(s, l) + 1; /* 0 again for SYMBOLS_FULL */
    else if (!symbols_same_location(s->locations[*first - 1], l))
        return symbols_another_location(s, l);
    return *first - 1;
}

static bool symbols_same_bytes(const void *a, const void *b, size_t n)
{
    return n == 0 || memcmp(a, b, n) == 0;
}

/* Copies n bytes into the arena; NULL only beyond the cap. */
static const void *symbols_keep(struct symbols *s, const void *p, size_t n)
{
    void *copy = arena_alloc(&s->arena, n ? n : 1);
    if (copy && n)
        memcpy(copy, p, n);
    return copy;
}

uint32_t symbols_stack(struct symbols *s, const uint32_t *locations, size_t count)
{
    size_t bytes = count * sizeof *locations;
    if (!hash_index_reserve(&s->by_stack))
        return SYMBOLS_FULL;
    uint32_t hash = (uint32_t)hash_bytes(locations, bytes);
    struct hash_index_slot *slot = hash_index_find(&s->by_stack, hash,
                                                   s->stacks[item].count == count &&
                                                       symbols_same_bytes(s->stacks[item].locations, locations, bytes));
    if (slot->item)
        return slot->item - 1;
    const bool room = s->stacks_max == 0 || s->stack_count < s->stacks_max;
    const uint32_t *copy = room && symbols_charge(s, sizeof *s->stacks, 0) ? symbols_keep(s, locations, bytes) : NULL;
    if (!copy || !mem_grow(&s->stacks, &s->stack_cap, s->stack_count + 1, sizeof *s->stacks))
        return SYMBOLS_FULL;
    uint32_t n = (uint32_t)s->stack_count++;
    s->stacks[n] = (struct pprof_stack){.locations = copy, .count = (uint32_t)count};
    hash_index_add(&s->by_stack, slot, hash, n);
    return n;
}

uint32_t symbols_labels(struct symbols *s, const struct pprof_label *labels, size_t count)
{
    _Static_assert(sizeof *labels == 24, "no padding: label sets are compared by their bytes");
    for (size_t i = 0; i < count; i++) {
        if (labels[i].key == SYMBOLS_FULL || labels[i].str == SYMBOLS_FULL || labels[i].unit == SYMBOLS_FULL)
            return SYMBOLS_FULL;
    }
    size_t bytes = count * sizeof *labels;
    if (!hash_index_reserve(&s->by_labels))
        return SYMBOLS_FULL;
    uint32_t hash = (uint32_t)hash_bytes(labels, bytes);
    struct hash_index_slot *slot = hash_index_find(&s->by_labels, hash,
                                                   s->label_sets[item].count == count &&
                                                       symbols_same_bytes(s->label_sets[item].labels, labels, bytes));
    if (slot->item)
        return slot->item - 1;
    const struct pprof_label *copy =
        symbols_charge(s, sizeof *s->label_sets, 0) ? symbols_keep(s, labels, bytes) : NULL;
    if (!copy || !mem_grow(&s->label_sets, &s->label_set_cap, s->label_set_count + 1, sizeof *s->label_sets))
        return SYMBOLS_FULL;
    uint32_t n = (uint32_t)s->label_set_count++;
    s->label_sets[n] = (struct pprof_labels){.labels = copy, .count = (uint32_t)count};
    hash_index_add(&s->by_labels, slot, hash, n);
    return n;
}

uint32_t symbols_address(struct symbols *s, uint64_t address)
{
    char text[24];
    const int n = snprintf(text, sizeof text, "0x%" PRIx64, address);
    return symbols_function(s, (struct pprof_function){.name = symbols_string(s, (struct str){text, (size_t)n})});
}

/* As google/pprof merges them: profile/merge.go. Files without a name or build ID are told apart by where they lie. */
static bool symbols_same_mapping(const struct pprof_mapping *a, const struct pprof_mapping *b)
{
    const bool known = a->build_id || a->filename;
    return a->limit - a->start == b->limit - b->start && a->offset == b->offset && a->build_id == b->build_id &&
           (a->build_id || a->filename == b->filename) && (known || a->start == b->start);
}

uint32_t symbols_mapping(struct symbols *s, struct pprof_mapping m)
{
    enum { MAPPINGS_MAX = 16384 }; /* they are searched one by one */
    if (m.filename == SYMBOLS_FULL || m.build_id == SYMBOLS_FULL)
        return SYMBOLS_FULL;
    for (size_t i = 0; i < s->mapping_count; i++) {
        if (symbols_same_mapping(&s->mappings[i], &m)) {
            s->mappings[i].flags &= m.flags;
            return (uint32_t)i;
        }
    }
    if (s->mapping_count == MAPPINGS_MAX || !symbols_charge(s, sizeof m, 0) ||
        !mem_grow(&s->mappings, &s->mapping_cap, s->mapping_count + 1, sizeof *s->mappings))
        return SYMBOLS_FULL;
    s->mappings[s->mapping_count] = m;
    return (uint32_t)s->mapping_count++;
}

static bool symbols_same_place(const struct pprof_place *a, const struct pprof_place *b)
{
    return a->address == b->address && a->mapping == b->mapping && a->folded == b->folded && a->count == b->count &&
           symbols_same_bytes(a->lines, b->lines, a->count * sizeof *a->lines);
}

uint32_t symbols_place(struct symbols *s, struct pprof_place p)
{
    _Static_assert(sizeof *p.lines == 3 * sizeof p.lines->line, "no padding: lines are compared by their bytes");
    const size_t bytes = p.count * sizeof *p.lines;
    if (p.mapping == SYMBOLS_FULL || !hash_index_reserve(&s->by_place))
        return SYMBOLS_FULL;
    const uint32_t hash =
        (uint32_t)hash_bytes(p.lines, bytes) ^ hash_number(p.address + ((uint64_t)p.mapping << 48) + p.folded);
    struct hash_index_slot *slot = hash_index_find(&s->by_place, hash, symbols_same_place(&s->places[item], &p));
    if (slot->item)
        return slot->item - 1;
    p.lines = symbols_charge(s, sizeof p, ENCODED_LOCATION * p.count) ? symbols_keep(s, p.lines, bytes) : NULL;
    if (!p.lines || !mem_grow(&s->places, &s->place_cap, s->place_count + 1, sizeof *s->places))
        return SYMBOLS_FULL;
    const uint32_t n = (uint32_t)s->place_count++;
    s->places[n] = p;
    hash_index_add(&s->by_place, slot, hash, n);
    return n;
}
