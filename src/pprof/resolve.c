#include "pprof/resolve.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "jfr/text.h"
#include "jfr/varint.h"
#include "pprof/normalise.h"

/* Slots of the pools' plans, in the order of their fields below. */
enum {
    STACK_FRAMES = 0,
    STACK_TRUNCATED = 1,
    FRAME_METHOD = 0,
    FRAME_LINE = 1,
    FRAME_TYPE = 2,
    METHOD_TYPE = 0,
    METHOD_NAME = 1,
    METHOD_DESCRIPTOR = 2,
    CLASS_NAME = 0,
    SYMBOL_STRING = 0,
    STATE_NAME = 0,
    THREAD_JAVA_NAME = 0,
    THREAD_OS_NAME = 1,
    THREAD_VIRTUAL = 2,
    THREAD_OS_ID = 3,
    THREAD_JAVA_ID = 4,
};

/* async-profiler cuts a symbol at 8191 bytes; a name has two of them, and a byte may need three in UTF-8. */
enum { SYMBOL_MAX = 8191, NAME_MAX_BYTES = 2 * 3 * SYMBOL_MAX + 16 };

static const struct jfr_pool wanted[RESOLVE_POOLS] = {
    [RESOLVE_STACKS] = {.type = "jdk.types.StackTrace", .fields = {"frames", "truncated"}},
    [RESOLVE_METHODS] = {.type = "jdk.types.Method", .fields = {"type", "name", "descriptor"}},
    [RESOLVE_CLASSES] = {.type = "java.lang.Class", .fields = {"name"}},
    [RESOLVE_SYMBOLS] = {.type = "jdk.types.Symbol", .fields = {"string"}},
    [RESOLVE_STRINGS] = {.type = "java.lang.String", .fields = {"value"}},
    [RESOLVE_STATES] = {.type = "jdk.types.ThreadState", .fields = {"name"}},
    [RESOLVE_FRAME_TYPES] = {.type = "jdk.types.FrameType", .fields = {"description"}},
    [RESOLVE_USER_EVENTS] = {.type = "profiler.types.UserEventType", .fields = {"name"}},
    [RESOLVE_THREADS] = {.type = "java.lang.Thread",
                         .fields = {"javaName", "osName", "virtual", "osThreadId", "javaThreadId"}},
};

/* How async-profiler's own formats spell the type of a frame (frameName.cpp, FlameGraph.java); 0 = nothing to add. */
static const struct {
    const char *description, *suffix;
} frame_types[] = {
    {"", ""},           {"Interpreted", "_[0]"}, {"JIT compiled", "_[j]"}, {"Inlined", "_[i]"},
    {"Kernel", "_[k]"}, {"C1 compiled", "_[1]"},
};

#define TRUNCATED STR("[truncated]")

/* Names are built once per method, but a hostile recording can give many methods one long name. Real ones need less
 * than two bytes of name per byte of recording. */
enum { NAME_BYTES_PER_BYTE = 16, NAME_BYTES_SPARE = 1 << 20 };

/* The bytes of a frame's method and line in this chunk -> location; free while that is 0. */
struct frame_slot {
    uint64_t bytes;
    uint32_t location; /* + 1 */
};

enum { NO_LOCATION = UINT32_MAX - 2 }; /* a frame that is dropped */

enum { NO_TEXT = 0 };

/* NO_TEXT where there is no memory, too. */
static uint32_t resolver_add_text(struct resolver *r, struct str text)
{
    if (!mem_grow(&r->texts, &r->text_cap, r->text_count + 1, sizeof *r->texts))
        return NO_TEXT;
    r->texts[r->text_count] = text;
    return (uint32_t)r->text_count++;
}

static size_t resolver_entries_max(const struct conversion_limits *limits, enum resolve_pool pool)
{
    if (pool == RESOLVE_SYMBOLS)
        return 2 * limits->entries;
    return pool == RESOLVE_STACKS || pool == RESOLVE_METHODS ? limits->entries : limits->entries / 2;
}

int resolver_open(struct resolver *r, const uint8_t *chunk, const struct jfr_header *header,
                  const struct jfr_metadata *m, struct arena *arena, struct symbols *symbols,
                  const struct resolve_options *options, struct err *err)
{
    const uint64_t names = NAME_BYTES_PER_BYTE * header->size + NAME_BYTES_SPARE;
    *r = (struct resolver){.chunk = chunk,
                           .end = chunk + header->size,
                           .metadata = m,
                           .symbols = symbols,
                           .options = *options,
                           .name_bytes = names,
                           .made = ARENA_INIT(names < options->limits->names ? names : options->limits->names),
                           .name = BUF_INIT(NAME_MAX_BYTES)};
    memcpy(r->pools, wanted, sizeof wanted);
    for (size_t i = 0; i < RESOLVE_POOLS; i++)
        r->pools[i].max = resolver_entries_max(options->limits, (enum resolve_pool)i);
    (void)resolver_add_text(r, STR("")); /* NO_TEXT */
    if (r->text_count == 0)
        return err_set(err, -ENOMEM, "no memory");
    size_t pools = options->threads ? RESOLVE_POOLS : RESOLVE_THREADS;
    int code = jfr_pools_read(chunk, header, m, arena, r->pools, pools, err);
    /* Frames are laid out as the stacks' own field says. Each takes a byte or more, so that their number is bounded. */
    const struct jfr_type *stack = jfr_type_by_name(m, wanted[RESOLVE_STACKS].type);
    struct jfr_field frames;
    const bool in_place = stack && jfr_field_by_name(m, stack, "frames", &frames) && frames.array && !frames.pooled;
    const struct jfr_type *frame = in_place ? jfr_type_by_id(m, frames.type) : NULL;
    const char *const frame_fields[] = {"method", options->bytecode_indices ? "bytecodeIndex" : "lineNumber", "type"};
    symbols_expect(symbols, r->pools[RESOLVE_METHODS].len);
    if (code == 0 && frame)
        code = jfr_plan_compile(m, frame, frame_fields, options->frame_types ? 3 : 2, true, arena, &r->frame, err);
    return code;
}

void resolver_done(struct resolver *r)
{
    jfr_pools_done(r->pools, RESOLVE_POOLS);
    free(r->cache);
    free(r->texts);
    free(r->locations);
    arena_done(&r->made);
    u64map_done(&r->java_names);
    buf_done(&r->name);
    r->cache = NULL;
    r->texts = NULL;
    r->locations = NULL;
}

/* Decodes the entry with this key; false when there is none. */
static bool resolver_look_up(const struct resolver *r, enum resolve_pool pool, uint64_t key, struct jfr_entry **entry,
                             struct jfr_record *ret)
{
    const struct jfr_pool *p = &r->pools[pool];
    *entry = jfr_pool_find(p, key);
    *ret = (struct jfr_record){0};
    return *entry && jfr_plan_look(&p->plan, r->chunk + (*entry)->at, r->end, ret);
}

/* UTF-16 has to be read to know where it ends: only as far as a symbol reaches, three bytes a unit. */
static const uint8_t *resolver_string_end(const struct resolver *r, const uint8_t *at)
{
    enum { CHARS_MAX = 3 * SYMBOL_MAX + 16 };
    return *at == JFR_STRING_CHARS && r->end - at > CHARS_MAX ? at + CHARS_MAX : r->end;
}

/* A string in place or, by its kind or by metadata, in the string pool; a reference from there leads nowhere. */
static bool resolver_read_string(const struct resolver *r, struct jfr_value v, struct jfr_string *ret)
{
    *ret = (struct jfr_string){.kind = JFR_STRING_POOLED, .key = v.num, .text = STR("")};
    if (v.at && !jfr_string_read(v.at, resolver_string_end(r, v.at), ret))
        return false;
    if (ret->kind != JFR_STRING_POOLED)
        return true;
    struct jfr_entry *entry;
    struct jfr_record rec;
    return resolver_look_up(r, RESOLVE_STRINGS, ret->key, &entry, &rec) && rec.v[0].at &&
           jfr_string_read(rec.v[0].at, resolver_string_end(r, rec.v[0].at), ret) && ret->kind != JFR_STRING_POOLED;
}

static void resolver_cut(struct jfr_string *s, size_t max)
{
    if (s->text.n > max)
        s->text.n = max;
}

void resolver_text(const struct resolver *r, struct jfr_value v, struct buf *out)
{
    struct jfr_string s;
    buf_reset(out);
    if (!resolver_read_string(r, v, &s))
        return;
    resolver_cut(&s, out->max);
    jfr_string_decode(&s, out);
}

/* "[Ljava/lang/String;" -> "java.lang.String[]". */
static void resolver_java_class_name(struct str symbol, struct buf *out)
{
    static const char *const primitives['Z' + 1] = {
        ['B'] = "byte", ['C'] = "char", ['D'] = "double", ['F'] = "float",
        ['I'] = "int",  ['J'] = "long", ['S'] = "short",  ['Z'] = "boolean",
    };
    size_t dimensions = 0;
    while (dimensions < symbol.n && symbol.p[dimensions] == '[')
        dimensions++;
    symbol = (struct str){symbol.p + dimensions, symbol.n - dimensions};
    const char first = symbol.n ? symbol.p[0] : '\0';
    if (dimensions && symbol.n == 1 && first > 0 && first <= 'Z' && primitives[(unsigned char)first]) {
        buf_puts(out, primitives[(unsigned char)first]);
        symbol.n = 0;
    } else if (dimensions && first == 'L' && symbol.p[symbol.n - 1] == ';') {
        symbol = (struct str){symbol.p + 1, symbol.n - 2};
    }
    for (size_t i = 0; i < symbol.n; i++)
        buf_byte(out, (uint8_t)(symbol.p[i] == '/' ? '.' : symbol.p[i]));
    while (dimensions-- > 0)
        buf_puts(out, "[]");
}

/* ASCII as names have it; what is no part of the chunk is put into r->made, p == NULL where that is full. Leaves
 * r->name in disorder. */
static struct str resolver_stable_text(struct resolver *r, struct str text)
{
    const enum name_rules rules = r->options.compat ? NORMALISE_REFERENCE : NORMALISE_SYMBOLS;
    buf_reset(&r->name);
    if (r->options.raw_names || !normalise(rules, text, &r->name))
        return text;
    return arena_str(&r->made, buf_slice(&r->name));
}

/* The same for any symbol. */
static struct str resolver_decoded_text(struct resolver *r, const struct jfr_string *s)
{
    cleanup_buf struct buf decoded = BUF_INIT(NAME_MAX_BYTES);
    if (jfr_string_is_plain(s))
        return resolver_stable_text(r, s->text);
    jfr_string_decode(s, &decoded);
    const struct str text = resolver_stable_text(r, buf_slice(&decoded));
    return text.p == (const char *)decoded.p ? arena_str(&r->made, text) : text;
}

static bool resolver_symbol_string(const struct resolver *r, const struct jfr_entry *symbol, struct jfr_string *ret)
{
    const struct jfr_plan *plan = &r->pools[RESOLVE_SYMBOLS].plan;
    struct jfr_record rec = {0};
    const uint8_t *at = r->chunk + symbol->at;
    if (plan->string) /* nothing else in all producers so far */
        rec.v[SYMBOL_STRING].at = at;
    else if (!jfr_plan_look(plan, at, r->end, &rec))
        return false;
    return resolver_read_string(r, rec.v[SYMBOL_STRING], ret);
}

/* Most symbols are ASCII, and nothing changes them. */
static bool resolver_ascii_symbol(struct resolver *r, const struct jfr_entry *symbol, struct str *ret)
{
    struct str bytes;
    if (!r->pools[RESOLVE_SYMBOLS].plan.string || !jfr_string_bytes(r->chunk + symbol->at, r->end, &bytes) ||
        bytes.n > SYMBOL_MAX)
        return false;
    const enum name_look look = name_look(bytes);
    *ret = look == NAME_ASCII ? resolver_stable_text(r, bytes) : bytes;
    return look != NAME_FOREIGN;
}

/* Number of a symbol's text. Each symbol is made stable once, however many methods and classes have it. NO_TEXT, the
 * empty one, where the chunk has no such symbol, and where there is no more room: then name_bytes is 0. */
static uint32_t resolver_symbol_text(struct resolver *r, uint64_t id)
{
    struct jfr_string s;
    struct jfr_entry *entry = jfr_pool_find(&r->pools[RESOLVE_SYMBOLS], id);
    if (!entry)
        return NO_TEXT;
    if (entry->memo)
        return entry->memo - 1;
    struct str text = STR("");
    if (!resolver_ascii_symbol(r, entry, &text) && resolver_symbol_string(r, entry, &s)) {
        resolver_cut(&s, SYMBOL_MAX);
        text = resolver_decoded_text(r, &s);
    }
    if (!text.p)
        r->name_bytes = 0;
    const uint32_t number = text.p && text.n ? resolver_add_text(r, text) : NO_TEXT;
    entry->memo = number + 1;
    return number;
}

/* As symbol_text for a class; false where the chunk does not know it. */
static bool resolver_class_symbol(struct resolver *r, uint64_t id, uint32_t *ret)
{
    struct jfr_entry *entry = jfr_pool_find(&r->pools[RESOLVE_CLASSES], id);
    if (!entry)
        return false;
    if (!entry->memo) {
        uint64_t class[JFR_SLOTS] = {0};
        if (!jfr_plan_numbers(&r->pools[RESOLVE_CLASSES].plan, r->chunk + entry->at, r->end, class))
            return false;
        entry->memo = resolver_symbol_text(r, class[CLASS_NAME]) + 1;
    }
    *ret = entry->memo - 1;
    return true;
}

/* The symbols of a method, as numbers of texts: a text may move when another is added, a number never does. */
struct method_texts {
    uint32_t of, name, descriptor;
};

/* async-profiler's native methods have a descriptor that no Java method can have, and the library for a class. */
static bool resolver_has_descriptor(const struct resolver *r, const struct method_texts *m, const char *want)
{
    return str_is(r->texts[m->descriptor], want);
}

static bool resolver_is_kernel(const struct resolver *r, const struct method_texts *m)
{
    return resolver_has_descriptor(r, m, "(Lk;)L;");
}

static uint32_t resolver_mapping_of(const struct resolver *r, const struct method_texts *m)
{
    if (resolver_is_kernel(r, m))
        return symbols_string(r->symbols, STR("[kernel.kallsyms]"));
    if (!resolver_has_descriptor(r, m, "()L;"))
        return 0;
    const struct str library = r->texts[m->of];
    return symbols_string(r->symbols, str_is(library, "vdso") ? STR("[vdso]") : library);
}

static bool resolver_keeps_classes(const struct resolver *r)
{
    return r->options.compat || r->options.raw_names;
}

/* Mostly the kernel's functions are in no library, as stubs of the JVM are. */
static struct str resolver_class_text(const struct resolver *r, const struct method_texts *m)
{
    const struct str class = r->texts[m->of];
    return !resolver_keeps_classes(r) && class.n == 0 && resolver_is_kernel(r, m) ? STR("kernel") : class;
}

static void resolver_charge_name(struct resolver *r, size_t bytes)
{
    r->name_bytes -= bytes < r->name_bytes ? bytes : r->name_bytes;
}

/* A method: its class and name joined by a point, and its mapping; false where the chunk knows neither. */
static bool resolver_method_function(struct resolver *r, const struct jfr_entry *entry, struct pprof_function *ret)
{
    uint64_t method[JFR_SLOTS] = {0};
    struct method_texts m;
    if (!jfr_plan_numbers(&r->pools[RESOLVE_METHODS].plan, r->chunk + entry->at, r->end, method) ||
        !resolver_class_symbol(r, method[METHOD_TYPE], &m.of))
        return false;
    m.name = resolver_symbol_text(r, method[METHOD_NAME]);
    m.descriptor = r->options.libraries || !resolver_keeps_classes(r)
                       ? resolver_symbol_text(r, method[METHOD_DESCRIPTOR])
                       : NO_TEXT;
    const struct str class = resolver_class_text(r, &m), name = r->texts[m.name];
    resolver_charge_name(r, class.n + 1 + name.n);
    ret->name = symbols_joined(r->symbols, class, '.', name);
    if (r->options.libraries)
        ret->mapping = resolver_mapping_of(r, &m);
    return true;
}

/* The function of a method id: SYMBOLS_FULL, or NO_LOCATION where the frame is to be dropped. */
static uint32_t resolver_function_of(struct resolver *r, uint64_t method)
{
    struct jfr_entry *entry = jfr_pool_find(&r->pools[RESOLVE_METHODS], method);
    struct pprof_function function = {0};
    if (entry && entry->memo)
        return entry->memo - 1;
    bool known = entry && resolver_method_function(r, entry, &function);
    if (r->name_bytes == 0)
        return SYMBOLS_FULL;
    if (!known && r->options.compat)
        return NO_LOCATION;
    if (!known)
        function.name = symbols_string(r->symbols, RESOLVE_UNKNOWN);
    uint32_t f = symbols_function(r->symbols, function);
    if (entry && f != SYMBOLS_FULL)
        entry->memo = f + 1;
    return f;
}

/* The same function with the frame's type behind its name. */
static uint32_t resolver_typed_function(struct resolver *r, uint32_t function, uint32_t type)
{
    const char *suffix = frame_types[type].suffix;
    if (suffix[0] == '\0' || function == NO_LOCATION || function == SYMBOLS_FULL)
        return function;
    struct pprof_function f = r->symbols->functions[function];
    struct str name = r->symbols->strings[f.name];
    buf_reset(&r->name);
    buf_str(&r->name, name);
    buf_puts(&r->name, suffix);
    resolver_charge_name(r, name.n);
    if (r->name_bytes == 0)
        return SYMBOLS_FULL;
    f.name = symbols_string(r->symbols, buf_slice(&r->name));
    return symbols_function(r->symbols, f);
}

static inline size_t resolver_frame_home(unsigned bits, uint64_t bytes)
{
    return (size_t)(hash_number_high(bytes) >> (64 - bits));
}

/* Where the location of a frame with these bytes is, or goes. */
static struct frame_slot *resolver_frame_slot(const struct resolver *r, uint64_t bytes)
{
    const size_t mask = ((size_t)1 << r->cache_bits) - 1;
    for (size_t i = resolver_frame_home(r->cache_bits, bytes);; i = (i + 1) & mask) {
        struct frame_slot *slot = &r->cache[i];
        if (slot->bytes == bytes || slot->location == 0)
            return slot;
    }
}

/* Half full at most. There are about as many frames as methods, and half as many again. False where there is no
 * memory. */
static bool resolver_grow_cache(struct resolver *r)
{
    enum { FIRST_BITS = 8, GUESS_BITS = 13 };
    struct frame_slot *old = r->cache;
    const size_t old_cap = old ? (size_t)1 << r->cache_bits : 0;
    unsigned bits = old ? r->cache_bits + 1 : FIRST_BITS;
    while (!old && bits < GUESS_BITS && (size_t)1 << bits < 3 * r->pools[RESOLVE_METHODS].len)
        bits++;
    struct frame_slot *more = calloc((size_t)1 << bits, sizeof *more);
    if (!more)
        return false;
    r->cache = more;
    r->cache_bits = bits;
    for (size_t i = 0; i < old_cap; i++) {
        if (old[i].location)
            *resolver_frame_slot(r, old[i].bytes) = old[i];
    }
    free(old);
    return true;
}

/* Of a frame, + 1; or SYMBOLS_FULL. */
static uint32_t resolver_frame_location(struct resolver *r, uint64_t method, uint32_t type, int32_t line)
{
    uint32_t f = resolver_function_of(r, method);
    if (r->options.frame_types)
        f = resolver_typed_function(r, f, type);
    if (f == NO_LOCATION)
        return NO_LOCATION + 1;
    uint32_t l = symbols_location(r->symbols, (struct pprof_location){.function = f, .line = line});
    return l == SYMBOLS_FULL ? l : l + 1;
}

/* A frame that no method of the recording stands for. */
static uint32_t resolver_string_location(struct resolver *r, uint32_t name)
{
    uint32_t f = symbols_function(r->symbols, (struct pprof_function){.name = name});
    return symbols_location(r->symbols, (struct pprof_location){.function = f});
}

/* JDKs write -1 where a frame has no line; in a profile that is 0. */
static int32_t resolver_line_of(const struct resolver *r, uint64_t written)
{
    int32_t line = (int32_t)written;
    return r->options.no_lines || (line < 0 && !r->options.compat) ? 0 : line;
}

/* Which of frame_types an id of the chunk is. */
static uint32_t resolver_frame_type(struct resolver *r, uint64_t id)
{
    struct jfr_entry *entry;
    struct jfr_record rec;
    if (!resolver_look_up(r, RESOLVE_FRAME_TYPES, id, &entry, &rec))
        return 0;
    if (entry->memo)
        return entry->memo - 1;
    uint32_t type = 0;
    resolver_text(r, rec.v[0], &r->name);
    for (uint32_t i = 1; i < ARRAY_LEN(frame_types); i++) {
        if (str_is(buf_slice(&r->name), frame_types[i].description))
            type = i;
    }
    entry->memo = type + 1;
    return type;
}

/* Any frame, and its location + 1, or SYMBOLS_FULL; NULL where it does not fit. */
static const uint8_t *resolver_read_frame(struct resolver *r, const uint8_t *p, uint32_t *location)
{
    struct jfr_record frame = {0};
    p = jfr_plan_run(&r->frame, p, r->end, &frame);
    if (!p)
        return NULL;
    const uint32_t type = r->options.frame_types ? resolver_frame_type(r, frame.v[FRAME_TYPE].num) : 0;
    *location =
        resolver_frame_location(r, frame.v[FRAME_METHOD].num, type, resolver_line_of(r, frame.v[FRAME_LINE].num));
    return p;
}

/* Frames are many, and in all producers so far four numbers: method, line, bytecode index, type. The bytes of the
 * first two stand for the location, so that a number is only decoded where a frame is met for the first time; mostly
 * one load has the whole frame, and nothing is asked byte by byte. */
enum { USUAL_NUMBERS = 4 };

static bool resolver_is_usual_frame(const struct jfr_plan *plan)
{
    const uint32_t both = 1 << FRAME_METHOD | 1 << FRAME_LINE;
    return plan->numbers == USUAL_NUMBERS && plan->has == both && plan->number_of[FRAME_METHOD] == 0 &&
           plan->number_of[FRAME_LINE] == 1;
}

/* A usual frame that is new, or long. The caller has made sure of USUAL_NUMBERS *
 * JFR_VARINT_MAX bytes. */
static const uint8_t *resolver_read_new_frame(struct resolver *r, const uint8_t *p, uint32_t *location)
{
    const uint64_t w = jfr_load64(p), ends = ~w & JFR_VARINT_HIGH, after1 = ends & (ends - 1);
    if (after1 == 0)
        return resolver_read_frame(r, p, location);
    const uint64_t bytes = w & (after1 ^ (after1 - 1));
    struct frame_slot *slot = resolver_frame_slot(r, bytes);
    uint64_t method, line;
    p = jfr_varint_unchecked(jfr_varint_unchecked(p, &method), &line);
    p = jfr_varint_step(jfr_varint_step(p));
    *location = slot->location ? slot->location : resolver_frame_location(r, method, 0, resolver_line_of(r, line));
    if (slot->location || *location == SYMBOLS_FULL)
        return p;
    /* One frame has many spellings, and they are not worth any memory. */
    if (r->cache_len == r->options.limits->cached ||
        (r->cache_len * 2 >= (size_t)1 << r->cache_bits && !resolver_grow_cache(r)))
        return p;
    *resolver_frame_slot(r, bytes) = (struct frame_slot){.bytes = bytes, .location = *location};
    r->cache_len++;
    return p;
}

/* Where frames are read into. */
struct frames {
    const uint8_t *p;
    uint64_t left;
    uint32_t *to;
};

/* As many of them as are short and known, which nearly all are: the rest is for others. */
static void resolver_read_known_frames(const struct resolver *r, struct frames *f)
{
    const struct frame_slot *const cache = r->cache;
    const unsigned bits = r->cache_bits;
    const size_t mask = ((size_t)1 << bits) - 1;
    const uint8_t *p = f->p, *const last = r->end - USUAL_NUMBERS * JFR_VARINT_MAX;
    uint32_t *to = f->to;
    uint64_t left = f->left;
    for (; left > 0 && p <= last; left--) {
        const uint64_t w = jfr_load64(p), ends = ~w & JFR_VARINT_HIGH, after1 = ends & (ends - 1);
        const uint64_t after2 = after1 & (after1 - 1), after3 = after2 & (after2 - 1);
        const uint64_t bytes = w & (after1 ^ (after1 - 1));
        size_t i = resolver_frame_home(bits, bytes);
        while (cache[i].bytes != bytes && cache[i].location != 0)
            i = (i + 1) & mask;
        const struct frame_slot *slot = &cache[i];
        if (after3 == 0 || slot->location == 0)
            break;
        *to = slot->location - 1;
        to += slot->location != NO_LOCATION + 1;
        p += (unsigned)__builtin_ctzll(after3) / 8 + 1;
    }
    *f = (struct frames){p, left, to};
}

/* The locations of `count` frames in r->locations; how many, or SYMBOLS_FULL, or RESOLVE_NO_STACK. */
static uint32_t resolver_decode_frames(struct resolver *r, const uint8_t *p, uint64_t count)
{
    const bool usual = resolver_is_usual_frame(&r->frame);
    struct frames f = {p, count, r->locations};
    while (f.left > 0) {
        uint32_t location;
        const bool inside = usual && r->end - f.p >= USUAL_NUMBERS * JFR_VARINT_MAX;
        if (inside)
            resolver_read_known_frames(r, &f);
        if (f.left == 0)
            break;
        if (inside && r->end - f.p >= USUAL_NUMBERS * JFR_VARINT_MAX)
            f.p = resolver_read_new_frame(r, f.p, &location);
        else
            f.p = resolver_read_frame(r, f.p, &location);
        if (!f.p)
            return RESOLVE_NO_STACK;
        if (location == SYMBOLS_FULL)
            return SYMBOLS_FULL;
        *f.to = location - 1;
        f.to += location != NO_LOCATION + 1;
        f.left--;
    }
    return (uint32_t)(f.to - r->locations);
}

static uint32_t resolver_decode_stack(struct resolver *r, const uint8_t *p, bool truncated)
{
    uint64_t count = 0;
    p = jfr_varint(p, r->end, &count);
    if (!p || r->frame.min_size == 0 || count > (uint64_t)(r->end - p) / r->frame.min_size)
        return RESOLVE_NO_STACK;
    if (count == 0 && !r->options.compat) /* a walk that found nothing says as much as no stack */
        return RESOLVE_NO_STACK;
    const bool deep = count > r->options.limits->frames;
    count = deep ? r->options.limits->frames : count;
    r->cut_stacks += deep;
    if ((!r->cache && !resolver_grow_cache(r)) ||
        !mem_grow(&r->locations, &r->location_cap, count + 1, sizeof *r->locations))
        return SYMBOLS_FULL;
    uint32_t n = resolver_decode_frames(r, p, count);
    if (n == SYMBOLS_FULL || n == RESOLVE_NO_STACK)
        return n;
    if (truncated || (deep && r->options.mark_truncated)) {
        r->locations[n] = resolver_string_location(r, symbols_string(r->symbols, TRUNCATED));
        if (r->locations[n++] == SYMBOLS_FULL)
            return SYMBOLS_FULL;
    }
    return symbols_stack(r->symbols, r->locations, n);
}

uint32_t resolver_new_stack(struct resolver *r, struct jfr_entry *entry)
{
    struct jfr_record rec;
    rec.v[STACK_FRAMES] = rec.v[STACK_TRUNCATED] = (struct jfr_value){0};
    if (!jfr_plan_look(&r->pools[RESOLVE_STACKS].plan, r->chunk + entry->at, r->end, &rec) || !rec.v[STACK_FRAMES].at)
        return RESOLVE_NO_STACK;
    bool truncated = r->options.mark_truncated && rec.v[STACK_TRUNCATED].num;
    uint32_t stack = resolver_decode_stack(r, rec.v[STACK_FRAMES].at, truncated);
    if (stack == SYMBOLS_FULL)
        stack = RESOLVE_FULL; /* remembered, too: to find out again might cost as much each time */
    entry->memo = stack + 1;
    return stack;
}

uint32_t resolver_stack_in(struct resolver *r, uint64_t id, uint64_t method)
{
    uint32_t stack = resolver_stack(r, id);
    if (stack == RESOLVE_FULL || !jfr_pool_find(&r->pools[RESOLVE_METHODS], method))
        return stack;
    uint32_t function = resolver_function_of(r, method);
    uint32_t leaf = symbols_location(r->symbols, (struct pprof_location){.function = function});
    if (leaf == SYMBOLS_FULL)
        return leaf;
    struct pprof_stack callers = {0};
    if (stack != RESOLVE_NO_STACK)
        callers = r->symbols->stacks[stack];
    if (!mem_grow(&r->locations, &r->location_cap, (size_t)callers.count + 1, sizeof *r->locations))
        return SYMBOLS_FULL;
    r->locations[0] = leaf;
    if (callers.count)
        memcpy(&r->locations[1], callers.locations, callers.count * sizeof *r->locations);
    return symbols_stack(r->symbols, r->locations, callers.count + 1);
}

uint32_t resolver_named_stack(struct resolver *r, struct str name)
{
    return resolver_string_stack(r, symbols_string(r->symbols, name));
}

uint32_t resolver_string_stack(struct resolver *r, uint32_t name)
{
    uint32_t l = resolver_string_location(r, name);
    return l == SYMBOLS_FULL ? l : symbols_stack(r->symbols, &l, 1);
}

/* Once per entry: `text` makes the string. */
static uint32_t resolver_memoised(struct resolver *r, enum resolve_pool pool, uint64_t id,
                                  uint32_t (*text)(struct resolver *r, const struct jfr_record *rec, void *arg),
                                  void *arg)
{
    struct jfr_entry *entry = jfr_pool_find(&r->pools[pool], id);
    struct jfr_record rec;
    if (entry && entry->memo)
        return entry->memo - 1;
    if (!resolver_look_up(r, pool, id, &entry, &rec))
        return 0;
    uint32_t string = text(r, &rec, arg);
    if (string != SYMBOLS_FULL)
        entry->memo = string + 1;
    return string;
}

static void resolver_put_thread(const struct resolver *r, const struct jfr_record *rec, struct buf *out)
{
    resolver_text(r, rec->v[THREAD_JAVA_NAME], out);
    if (out->len == 0)
        resolver_text(r, rec->v[THREAD_OS_NAME], out);
    if (out->len == 0 && rec->v[THREAD_VIRTUAL].num)
        buf_puts(out, "[virtual]");
}

void resolver_thread_name(struct resolver *r, uint64_t id, struct buf *out)
{
    struct jfr_entry *entry;
    struct jfr_record rec;
    buf_reset(out);
    if (resolver_look_up(r, RESOLVE_THREADS, id, &entry, &rec))
        resolver_put_thread(r, &rec, out);
}

void resolver_state_name(struct resolver *r, uint64_t id, struct buf *out)
{
    static const char all[] = "state_";
    enum { COMMON = sizeof all - 1 };
    struct jfr_entry *entry;
    struct jfr_record rec;
    buf_reset(out);
    if (!resolver_look_up(r, RESOLVE_STATES, id, &entry, &rec))
        return;
    resolver_text(r, rec.v[STATE_NAME], out);
    for (size_t i = 0; i < out->len; i++)
        out->p[i] = (uint8_t)(out->p[i] >= 'A' && out->p[i] <= 'Z' ? out->p[i] | 0x20 : out->p[i]);
    if (!str_has_prefix(buf_slice(out), str_of(all)))
        return;
    memmove(out->p, out->p + COMMON, out->len - COMMON);
    out->len -= COMMON;
}

static uint32_t resolver_thread_text(struct resolver *r, const struct jfr_record *rec, void *names)
{
    resolver_put_thread(r, rec, &r->name);
    /* Virtual threads have one of Java alone. */
    const uint64_t id = rec->v[THREAD_OS_ID].num ? rec->v[THREAD_OS_ID].num : rec->v[THREAD_JAVA_ID].num;
    if (r->options.thread_ids && id)
        buf_printf(&r->name, "%stid=%" PRIu64, r->name.len ? " " : "", id);
    return r->name.len ? thread_names_label(names, r->symbols, buf_slice(&r->name)) : 0;
}

uint32_t resolver_thread(struct resolver *r, uint64_t id, struct thread_names *names)
{
    return resolver_memoised(r, RESOLVE_THREADS, id, resolver_thread_text, names);
}

uint32_t resolver_class(struct resolver *r, uint64_t id)
{
    uint32_t text;
    bool added;
    if (!resolver_class_symbol(r, id, &text))
        return 0;
    uint64_t *string = u64map_add(&r->java_names, text, 0, &added);
    if (added) {
        buf_reset(&r->name);
        resolver_java_class_name(r->texts[text], &r->name);
        *string = symbols_string(r->symbols, buf_slice(&r->name));
    }
    return (uint32_t)*string;
}

static uint32_t resolver_first_text(struct resolver *r, const struct jfr_record *rec, void *arg)
{
    (void)arg;
    resolver_text(r, rec->v[0], &r->name);
    return symbols_string(r->symbols, buf_slice(&r->name));
}

uint32_t resolver_user_event(struct resolver *r, uint64_t id)
{
    return resolver_memoised(r, RESOLVE_USER_EVENTS, id, resolver_first_text, NULL);
}

uint32_t resolver_string(struct resolver *r, struct jfr_value v)
{
    if (!v.at)
        return resolver_memoised(r, RESOLVE_STRINGS, v.num, resolver_first_text, NULL);
    const struct jfr_record rec = {.v = {v}};
    return resolver_first_text(r, &rec, NULL);
}

/* Apart from its caller, which has nothing that needs a stack protector and is asked once per sample. */
static __attribute__((noinline)) enum thread_state resolver_look_up_state(struct resolver *r, uint64_t id)
{
    struct jfr_entry *entry = jfr_pool_find(&r->pools[RESOLVE_STATES], id);
    struct jfr_record rec;
    if (!entry)
        return THREAD_STATE_UNKNOWN;
    if (entry->memo)
        return (enum thread_state)entry->memo;
    enum thread_state state = THREAD_STATE_OTHER;
    if (resolver_look_up(r, RESOLVE_STATES, id, &entry, &rec)) {
        resolver_text(r, rec.v[STATE_NAME], &r->name);
        if (str_is(buf_slice(&r->name), "STATE_RUNNABLE"))
            state = THREAD_STATE_RUNNABLE;
        else if (str_is(buf_slice(&r->name), "STATE_SLEEPING"))
            state = THREAD_STATE_SLEEPING;
    }
    entry->memo = (uint32_t)state;
    return state;
}

enum thread_state resolver_state(struct resolver *r, uint64_t id)
{
    if (id < sizeof r->states && r->states[id])
        return (enum thread_state)r->states[id];
    const enum thread_state state = resolver_look_up_state(r, id);
    if (id < sizeof r->states)
        r->states[id] = (uint8_t)state;
    return state;
}
