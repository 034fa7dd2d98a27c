#include "pprof/resolve.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "jfr/text.h"
#include "jfr/varint.h"
#include "pprof/names.h"

/* Slots of the pools' plans, in the order of their fields below. */
enum {
    STACK_FRAMES = 0,
    STACK_TRUNCATED = 1,
    FRAME_METHOD = 0,
    FRAME_LINE = 1,
    METHOD_TYPE = 0,
    METHOD_NAME = 1,
    CLASS_NAME = 0,
    SYMBOL_STRING = 0,
    STATE_NAME = 0,
    THREAD_JAVA_NAME = 0,
    THREAD_OS_NAME = 1,
};

/* async-profiler cuts a symbol at 8191 bytes; a name has two of them, and a byte may need three in UTF-8. */
enum { SYMBOL_MAX = 8191, NAME_MAX_BYTES = 2 * 3 * SYMBOL_MAX + 16 };

static const struct jfr_pool wanted[RESOLVE_POOLS] = {
    [RESOLVE_STACKS] = {.type = "jdk.types.StackTrace", .fields = {"frames", "truncated"}},
    [RESOLVE_METHODS] = {.type = "jdk.types.Method", .fields = {"type", "name"}},
    [RESOLVE_CLASSES] = {.type = "java.lang.Class", .fields = {"name"}},
    [RESOLVE_SYMBOLS] = {.type = "jdk.types.Symbol", .fields = {"string"}},
    [RESOLVE_STRINGS] = {.type = "java.lang.String", .fields = {"value"}},
    [RESOLVE_STATES] = {.type = "jdk.types.ThreadState", .fields = {"name"}},
    [RESOLVE_THREADS] = {.type = "java.lang.Thread", .fields = {"javaName", "osName"}},
};

static const struct str UNKNOWN = {"[unknown]", sizeof "[unknown]" - 1};
static const struct str TRUNCATED = {"[truncated]", sizeof "[truncated]" - 1};

/* Names are built once per method, but a hostile recording can give many methods one long name. Real ones need less
 * than two bytes of name per byte of recording. */
enum { NAME_BYTES_PER_BYTE = 16, NAME_BYTES_SPARE = 1 << 20 };

/* (method id, line) of this chunk -> location; free while location is 0. */
struct frame_slot {
    uint64_t method;
    int32_t line;
    uint32_t location; /* + 1 */
};

enum { NO_LOCATION = UINT32_MAX - 1 }; /* a frame that is dropped */

int resolver_open(struct resolver *r, const uint8_t *chunk, const struct jfr_header *header,
                  const struct jfr_metadata *m, struct arena *arena, struct symbols *symbols, bool threads,
                  struct err *err)
{
    *r = (struct resolver){.chunk = chunk,
                           .end = chunk + header->size,
                           .metadata = m,
                           .symbols = symbols,
                           .name_bytes = NAME_BYTES_PER_BYTE * header->size + NAME_BYTES_SPARE,
                           .name = BUF_INIT(NAME_MAX_BYTES)};
    memcpy(r->pools, wanted, sizeof wanted);
    /* The last pool is the only one that is not always needed. */
    int code = jfr_pools_read(chunk, header, m, arena, r->pools, threads ? RESOLVE_POOLS : RESOLVE_THREADS, err);
    /* Frames are laid out as the stacks' own field says. Each takes a byte or more, so that their number is bounded. */
    const struct jfr_type *stack = jfr_type_by_name(m, wanted[RESOLVE_STACKS].type);
    const struct jfr_field *frames = stack ? jfr_field_by_name(stack, "frames") : NULL;
    const struct jfr_type *frame = frames && frames->array && !frames->pooled ? jfr_type_by_id(m, frames->type) : NULL;
    static const char *const frame_fields[] = {"method", "lineNumber"};
    if (code == 0 && frame)
        code = jfr_plan_compile(m, frame, frame_fields, 2, true, arena, &r->frame, err);
    return code;
}

void resolver_done(struct resolver *r)
{
    jfr_pools_done(r->pools, RESOLVE_POOLS);
    free(r->cache);
    free(r->locations);
    buf_done(&r->name);
    r->cache = NULL;
    r->locations = NULL;
}

/* Decodes the entry with this key; false when there is none. */
static bool look_up(const struct resolver *r, enum resolve_pool pool, uint64_t key, struct jfr_entry **entry,
                    struct jfr_record *ret)
{
    const struct jfr_pool *p = &r->pools[pool];
    *entry = jfr_pool_find(p, key);
    *ret = (struct jfr_record){0};
    return *entry && jfr_plan_run(&p->plan, r->chunk + (*entry)->at, r->end, ret);
}

/* UTF-16 has to be read to know where it ends: only as far as a symbol reaches, three bytes a unit. */
static const uint8_t *string_end(const struct resolver *r, const uint8_t *at)
{
    enum { CHARS_MAX = 3 * SYMBOL_MAX + 16 };
    return *at == JFR_STRING_CHARS && r->end - at > CHARS_MAX ? at + CHARS_MAX : r->end;
}

/* A string in place or, by its kind or by metadata, in the string pool; a reference from there leads nowhere. */
static bool read_string(const struct resolver *r, struct jfr_value v, struct jfr_string *ret)
{
    *ret = (struct jfr_string){.kind = JFR_STRING_POOLED, .key = v.num, .text = STR("")};
    if (v.at && !jfr_string_read(v.at, string_end(r, v.at), ret))
        return false;
    if (ret->kind != JFR_STRING_POOLED)
        return true;
    struct jfr_entry *entry;
    struct jfr_record rec;
    return look_up(r, RESOLVE_STRINGS, ret->key, &entry, &rec) && rec.v[0].at &&
           jfr_string_read(rec.v[0].at, string_end(r, rec.v[0].at), ret) && ret->kind != JFR_STRING_POOLED;
}

static void cut(struct jfr_string *s, size_t max)
{
    if (s->text.n > max)
        s->text.n = max;
}

void resolver_text(const struct resolver *r, struct jfr_value v, struct buf *out)
{
    struct jfr_string s;
    buf_reset(out);
    if (!read_string(r, v, &s))
        return;
    cut(&s, out->max);
    jfr_string_decode(&s, out);
}

static void append_stable(struct buf *out, struct str symbol)
{
    struct stable_name n = stable_name(symbol);
    buf_str(out, n.head);
    buf_puts(out, n.tail);
}

static void append_symbol(struct resolver *r, uint64_t id, struct buf *out)
{
    struct jfr_entry *entry;
    struct jfr_record rec;
    struct jfr_string s;
    if (!look_up(r, RESOLVE_SYMBOLS, id, &entry, &rec) || !read_string(r, rec.v[SYMBOL_STRING], &s))
        return;
    cut(&s, SYMBOL_MAX);
    r->name_bytes -= s.text.n < r->name_bytes ? s.text.n : r->name_bytes;
    if (jfr_string_is_plain(&s)) {
        append_stable(out, s.text);
        return;
    }
    struct buf decoded = BUF_INIT(NAME_MAX_BYTES);
    jfr_string_decode(&s, &decoded);
    append_stable(out, buf_slice(&decoded));
    buf_done(&decoded);
}

/* Class and method joined by a point, in r->name; false where the chunk knows neither. */
static bool method_name(struct resolver *r, const struct jfr_record *method)
{
    struct jfr_entry *entry;
    struct jfr_record class;
    if (!look_up(r, RESOLVE_CLASSES, method->v[METHOD_TYPE].num, &entry, &class))
        return false;
    buf_reset(&r->name);
    append_symbol(r, class.v[CLASS_NAME].num, &r->name);
    buf_byte(&r->name, '.');
    append_symbol(r, method->v[METHOD_NAME].num, &r->name);
    return true;
}

/* The function of a method id: SYMBOLS_FULL, or NO_LOCATION where the frame is to be dropped. */
static uint32_t function_of(struct resolver *r, uint64_t method)
{
    struct jfr_entry *entry;
    struct jfr_record rec;
    bool known = look_up(r, RESOLVE_METHODS, method, &entry, &rec);
    if (known && entry->memo)
        return entry->memo - 1;
    known = known && method_name(r, &rec);
    if (r->name_bytes == 0)
        return SYMBOLS_FULL;
    if (!known && r->compat)
        return NO_LOCATION;
    struct str name = known ? buf_slice(&r->name) : UNKNOWN;
    uint32_t f = symbols_function(r->symbols, (struct pprof_function){.name = symbols_string(r->symbols, name)});
    if (entry && f != SYMBOLS_FULL)
        entry->memo = f + 1;
    return f;
}

static struct frame_slot *frame_slot(struct frame_slot *slots, size_t cap, uint64_t method, int32_t line)
{
    size_t i = jfr_hash(method + ((uint64_t)(uint32_t)line << 40 | (uint32_t)line)) & (cap - 1);
    while (slots[i].location && (slots[i].method != method || slots[i].line != line))
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

static void grow_cache(struct resolver *r)
{
    enum { FIRST_CAP = 256 };
    size_t cap = r->cache_cap ? r->cache_cap * 2 : FIRST_CAP;
    struct frame_slot *slots = xcalloc(cap, sizeof *slots);
    for (size_t i = 0; i < r->cache_cap; i++) {
        if (r->cache[i].location)
            *frame_slot(slots, cap, r->cache[i].method, r->cache[i].line) = r->cache[i];
    }
    free(r->cache);
    r->cache = slots;
    r->cache_cap = cap;
}

static uint32_t location_of(struct resolver *r, uint64_t method, int32_t line)
{
    if (r->cache_len * 2 >= r->cache_cap)
        grow_cache(r);
    struct frame_slot *slot = frame_slot(r->cache, r->cache_cap, method, line);
    if (slot->location)
        return slot->location - 1;
    uint32_t f = function_of(r, method);
    uint32_t l = f == NO_LOCATION ? NO_LOCATION
                                  : symbols_location(r->symbols, (struct pprof_location){.function = f, .line = line});
    if (l == SYMBOLS_FULL)
        return l;
    *slot = (struct frame_slot){.method = method, .line = line, .location = l + 1};
    r->cache_len++;
    return l;
}

/* A frame that no method of the recording stands for. */
static uint32_t named_location(struct resolver *r, struct str name)
{
    struct pprof_function f = {.name = symbols_string(r->symbols, name)};
    return symbols_location(r->symbols, (struct pprof_location){.function = symbols_function(r->symbols, f)});
}

/* JDKs write -1 where a frame has no line; in a profile that is 0. */
static int32_t line_of(const struct resolver *r, uint64_t written)
{
    int32_t line = (int32_t)written;
    return line < 0 && !r->compat ? 0 : line;
}

/* Frames are many, and nothing but a few numbers in all JDKs so far: read without a plan where that is so. */
static inline const uint8_t *read_frame(const struct resolver *r, const uint8_t *p, uint64_t *method, uint64_t *line)
{
    enum { NUMBERS_MAX = 8 };
    const struct jfr_plan *plan = &r->frame;
    uint64_t v[NUMBERS_MAX];
    const uint32_t both = 1 << FRAME_METHOD | 1 << FRAME_LINE;
    if (plan->numbers - 1 < NUMBERS_MAX && plan->has == both && r->end - p >= NUMBERS_MAX * JFR_VARINT_MAX) {
        for (uint32_t i = 0; i < plan->numbers; i++)
            p = jfr_varint_unchecked(p, &v[i]);
        *method = v[plan->number_of[FRAME_METHOD]];
        *line = v[plan->number_of[FRAME_LINE]];
        return p;
    }
    struct jfr_record frame = {0};
    p = jfr_plan_run(plan, p, r->end, &frame);
    *method = frame.v[FRAME_METHOD].num;
    *line = frame.v[FRAME_LINE].num;
    return p;
}

static uint32_t decode_stack(struct resolver *r, const uint8_t *p, bool truncated)
{
    uint64_t count = 0;
    p = jfr_varint(p, r->end, &count);
    if (!p || r->frame.min_size == 0 || count > (uint64_t)(r->end - p) / r->frame.min_size)
        return RESOLVE_NO_STACK;
    xgrow(&r->locations, &r->location_cap, count + 1, sizeof *r->locations);
    size_t n = 0;
    for (; count > 0; count--) {
        uint64_t method, line;
        p = read_frame(r, p, &method, &line);
        if (!p)
            return RESOLVE_NO_STACK;
        uint32_t l = location_of(r, method, line_of(r, line));
        if (l == SYMBOLS_FULL)
            return l;
        if (l != NO_LOCATION)
            r->locations[n++] = l;
    }
    if (truncated) {
        r->locations[n] = named_location(r, TRUNCATED);
        if (r->locations[n++] == SYMBOLS_FULL)
            return SYMBOLS_FULL;
    }
    return symbols_stack(r->symbols, r->locations, n);
}

uint32_t resolver_stack(struct resolver *r, uint64_t id)
{
    struct jfr_entry *entry = jfr_pool_find(&r->pools[RESOLVE_STACKS], id);
    if (!entry)
        return RESOLVE_NO_STACK;
    if (entry->memo)
        return entry->memo - 1;
    struct jfr_record rec = {0};
    if (!jfr_plan_run(&r->pools[RESOLVE_STACKS].plan, r->chunk + entry->at, r->end, &rec) || !rec.v[STACK_FRAMES].at)
        return RESOLVE_NO_STACK;
    bool truncated = r->mark_truncated && rec.v[STACK_TRUNCATED].num;
    uint32_t stack = decode_stack(r, rec.v[STACK_FRAMES].at, truncated);
    if (stack != SYMBOLS_FULL)
        entry->memo = stack + 1;
    return stack;
}

uint32_t resolver_unknown_stack(struct resolver *r)
{
    uint32_t l = named_location(r, UNKNOWN);
    return l == SYMBOLS_FULL ? l : symbols_stack(r->symbols, &l, 1);
}

uint32_t resolver_thread(struct resolver *r, uint64_t id)
{
    struct jfr_entry *entry;
    struct jfr_record rec;
    if (!look_up(r, RESOLVE_THREADS, id, &entry, &rec))
        return 0;
    if (entry->memo)
        return entry->memo - 1;
    resolver_text(r, rec.v[THREAD_JAVA_NAME], &r->name);
    if (r->name.len == 0)
        resolver_text(r, rec.v[THREAD_OS_NAME], &r->name);
    struct pprof_label label = {.key = symbols_string(r->symbols, STR("thread")),
                                .str = symbols_string(r->symbols, buf_slice(&r->name))};
    uint32_t set = r->name.len ? symbols_labels(r->symbols, &label, 1) : 0;
    if (set != SYMBOLS_FULL)
        entry->memo = set + 1;
    return set;
}

enum thread_state resolver_state(struct resolver *r, uint64_t id)
{
    struct jfr_entry *entry = jfr_pool_find(&r->pools[RESOLVE_STATES], id);
    struct jfr_record rec;
    if (!entry)
        return THREAD_STATE_UNKNOWN;
    if (entry->memo)
        return (enum thread_state)entry->memo;
    enum thread_state state = THREAD_STATE_OTHER;
    if (look_up(r, RESOLVE_STATES, id, &entry, &rec)) {
        resolver_text(r, rec.v[STATE_NAME], &r->name);
        if (str_is(buf_slice(&r->name), "STATE_RUNNABLE"))
            state = THREAD_STATE_RUNNABLE;
        else if (str_is(buf_slice(&r->name), "STATE_SLEEPING"))
            state = THREAD_STATE_SLEEPING;
    }
    entry->memo = (uint32_t)state;
    return state;
}
