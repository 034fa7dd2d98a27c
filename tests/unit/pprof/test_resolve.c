#include "pprof/resolve.h"

#include "base/cleanup.h"
#include "jfr/chunk_builder.h"
#include "test.h"

enum { MAX = 1 << 22, STACK = 5, CLASS = 3, CLASS_NAME = 4 };

/* Everything but the stacks; %s is what a frame looks like. */
static const char types[] =
    "4 boolean\n10 int\n11 long\n20 java.lang.String\n21 java.lang.Class name:31*\n24 jdk.types.FrameType\n"
    "26 jdk.types.StackTrace truncated:4 frames:27[]\n28 jdk.types.Method type:21* name:31*\n"
    "31 jdk.types.Symbol string:20\n27 jdk.types.StackFrame %s";
static const char usual[] = "method:28* lineNumber:10 bytecodeIndex:10 type:24*";

struct frame {
    uint64_t method, line, bci, type;
};

struct fixture {
    struct chunk_builder c;
    struct arena arena;
    struct jfr_metadata metadata;
    struct symbols symbols;
    struct resolver r;
};

static void fixture_done(struct fixture *f)
{
    resolver_done(&f->r);
    symbols_done(&f->symbols);
    jfr_metadata_done(&f->metadata);
    arena_done(&f->arena);
    chunk_done(&f->c);
}
#define WITH_CHUNK __attribute__((cleanup(fixture_done))) struct fixture

/* A method for every frame, called m0, m1, … */
static void put_methods(struct chunk_builder *c, const struct frame *frames, size_t n)
{
    CHUNK_VARINTS(c, 21, 1, CLASS, CLASS_NAME);
    CHUNK_VARINTS(c, 31, n + 1, CLASS_NAME);
    chunk_text(c, "C");
    for (size_t i = 0; i < n; i++) {
        cleanup_free char *name = xasprintf("m%zu", i);
        chunk_varint(c, 100 + i);
        chunk_text(c, name);
    }
    CHUNK_VARINTS(c, 28, n);
    for (size_t i = 0; i < n; i++)
        CHUNK_VARINTS(c, frames[i].method, CLASS, 100 + i);
}

static void open_built(struct fixture *f)
{
    struct jfr_header header;
    struct err err = {0};
    chunk_event_end(&f->c);
    chunk_end(&f->c);
    symbols_init(&f->symbols, MAX);
    CHECK_INT(jfr_header_read(f->c.b.p, f->c.b.len, &header, &err), 0);
    CHECK_INT(jfr_metadata_read(f->c.b.p, f->c.b.len, header.metadata, &f->arena, &f->metadata, &err), 0);
    CHECK_INT(resolver_open(&f->r, f->c.b.p, &header, &f->metadata, &f->arena, &f->symbols,
                            &(struct resolve_options){.limits = &conversion_limits_files}, &err),
              0);
    CHECK_STR(err.text, "");
}

/* A chunk whose one stack has these frames, in the pool that comes last where `at_end`. */
static void open_chunk(struct fixture *f, const char *layout, const struct frame *frames, size_t n, bool at_end)
{
    cleanup_free char *described = xasprintf(types, layout);
    *f = (struct fixture){.c = chunk_begin(described), .arena = ARENA_INIT(MAX)};
    chunk_checkpoint(&f->c, 0, 4);
    if (at_end)
        put_methods(&f->c, frames, n);
    CHUNK_VARINTS(&f->c, 26, 1, STACK, 0, n);
    for (size_t i = 0; i < n; i++) {
        if (layout == usual)
            CHUNK_VARINTS(&f->c, frames[i].method, frames[i].line, frames[i].bci, frames[i].type);
        else
            CHUNK_VARINTS(&f->c, frames[i].line, frames[i].method);
    }
    if (!at_end)
        put_methods(&f->c, frames, n);
    open_built(f);
}

static void check_frames(struct fixture *f, const struct frame *frames, size_t n)
{
    const uint32_t stack = resolver_stack(&f->r, STACK);
    CHECK(stack < f->symbols.stack_count);
    if (stack >= f->symbols.stack_count)
        return;
    CHECK_INT(f->symbols.stacks[stack].count, n);
    for (size_t i = 0; i < n && i < f->symbols.stacks[stack].count; i++) {
        const struct pprof_location l = f->symbols.locations[f->symbols.stacks[stack].locations[i]];
        cleanup_free char *name = xasprintf("C.m%zu", i);
        const struct str got = f->symbols.strings[f->symbols.functions[l.function].name];
        CHECK(str_is(got, name));
        CHECK_INT(l.line, (int32_t)frames[i].line < 0 ? 0 : (int32_t)frames[i].line);
    }
}

/* Ids and lines of every length up to nine bytes, so that a frame ends before, at and behind the eighth byte. */
static void frames_of_every_size_are_read(void)
{
    enum { FRAMES = 9 * 5 * 2 * 3 };
    struct frame frames[FRAMES];
    for (size_t i = 0; i < FRAMES; i++) {
        const unsigned method_bytes = i % 9, line_bytes = i / 9 % 5, bci_bytes = i / 45 % 2 * 2,
                       type_bytes = i / 90 * 4;
        frames[i].method = (method_bytes == 8 ? UINT64_C(1) << 63 : UINT64_C(64) << 7 * method_bytes) + i;
        frames[i].line = ((UINT64_C(1) << 7 * line_bytes) + i) & UINT32_MAX;
        frames[i].bci = UINT64_C(1) << 7 * bci_bytes;
        frames[i].type = UINT64_C(1) << 7 * type_bytes;
    }
    for (int at_end = 0; at_end <= 1; at_end++) {
        WITH_CHUNK f;
        open_chunk(&f, usual, frames, FRAMES, at_end);
        check_frames(&f, frames, FRAMES);
        CHECK_INT(resolver_stack(&f.r, STACK), resolver_stack(&f.r, STACK));
        CHECK(resolver_stack(&f.r, STACK + 1) == RESOLVE_NO_STACK);
    }
}

/* Other producers may lay frames out as they like. */
static void frames_of_another_layout_are_read(void)
{
    static const struct frame frames[] = {{7, 1, 0, 0}, {UINT64_MAX, 300, 0, 0}, {9, UINT32_MAX, 0, 0}};
    WITH_CHUNK f;
    open_chunk(&f, "lineNumber:10 method:28*", frames, 3, true);
    check_frames(&f, frames, 3);
}

/* The same numbers in longer bytes are the same location. */
static void over_long_numbers_make_no_second_location(void)
{
    static const struct frame frames[] = {{7, 3, 0, 0}};
    WITH_CHUNK f;
    open_chunk(&f, usual, frames, 1, false);
    const uint32_t stack = resolver_stack(&f.r, STACK);
    static const uint8_t again[] = {1, 0x87, 0x80, 0x80, 0x00, 0x83, 0x00, 0x80, 0x00, 0x00, 0, 0, 0, 0,
                                    0, 0,    0,    0,    0,    0,    0,    0,    0,    0,    0, 0, 0, 0,
                                    0, 0,    0,    0,    0,    0,    0,    0,    0,    0,    0, 0};
    struct jfr_entry *entry = jfr_pool_find(&f.r.pools[RESOLVE_STACKS], STACK);
    CHECK(entry && stack != RESOLVE_NO_STACK);
    /* As if that stack stood in the chunk: behind its `truncated`. */
    struct buf chunk = BUF_INIT(MAX);
    buf_append(&chunk, f.c.b.p, f.c.b.len);
    entry->at = (uint32_t)chunk.len;
    entry->memo = 0;
    buf_byte(&chunk, 0);
    buf_append(&chunk, again, sizeof again);
    f.r.chunk = chunk.p;
    f.r.end = chunk.p + chunk.len;
    CHECK_INT(resolver_stack(&f.r, STACK), stack);
    buf_done(&chunk);
}

/* More frames than bytes, and frames that leave the chunk. */
static void a_stack_that_cannot_be_is_none(void)
{
    static const struct frame frames[] = {{7, 3, 0, 0}};
    for (uint8_t count = 2; count < 0x80; count += 0x7d) {
        WITH_CHUNK f;
        open_chunk(&f, usual, frames, 1, true);
        const struct jfr_entry *entry = jfr_pool_find(&f.r.pools[RESOLVE_STACKS], STACK);
        CHECK(entry);
        f.c.b.p[entry->at + 1] = count;
        CHECK(resolver_stack(&f.r, STACK) == RESOLVE_NO_STACK);
    }
}

/* A kernel's function in no library has its descriptor looked up between class and name, after `before` other symbols:
 * whatever their number, that lookup may be the one for which there is no room yet. */
static void a_kernel_function_is_named_whatever_came_before(void)
{
    enum { KERNEL_METHOD = 900, NOWHERE = 901, NO_NAME = 902, FUNCTION = 903, KERNEL = 904, BEFORE_MAX = 140 };
    static const char kernel_types[] =
        "4 boolean\n10 int\n11 long\n20 java.lang.String\n21 java.lang.Class name:31*\n24 jdk.types.FrameType\n"
        "26 jdk.types.StackTrace truncated:4 frames:27[]\n28 jdk.types.Method type:21* name:31* descriptor:31*\n"
        "31 jdk.types.Symbol string:20\n27 jdk.types.StackFrame method:28* lineNumber:10 bytecodeIndex:10 type:24*";
    for (size_t before = 0; before < BEFORE_MAX; before++) {
        WITH_CHUNK f = {.c = chunk_begin(kernel_types), .arena = ARENA_INIT(MAX)};
        chunk_checkpoint(&f.c, 0, 4);
        CHUNK_VARINTS(&f.c, 21, 2, CLASS, CLASS_NAME, NOWHERE, NO_NAME, 31, before + 4, CLASS_NAME);
        chunk_text(&f.c, "C");
        CHUNK_VARINTS(&f.c, NO_NAME);
        chunk_text(&f.c, "");
        CHUNK_VARINTS(&f.c, FUNCTION);
        chunk_text(&f.c, "do_idle");
        CHUNK_VARINTS(&f.c, KERNEL);
        chunk_text(&f.c, "(Lk;)L;");
        for (size_t i = 0; i < before; i++) {
            cleanup_free char *name = xasprintf("m%zu", i);
            CHUNK_VARINTS(&f.c, 100 + i);
            chunk_text(&f.c, name);
        }
        CHUNK_VARINTS(&f.c, 28, before + 1, KERNEL_METHOD, NOWHERE, FUNCTION, KERNEL);
        for (size_t i = 0; i < before; i++)
            CHUNK_VARINTS(&f.c, 100 + i, CLASS, 100 + i, 100 + i);
        CHUNK_VARINTS(&f.c, 26, 1, STACK, 0, before + 1);
        for (size_t i = 0; i < before; i++)
            CHUNK_VARINTS(&f.c, 100 + i, 0, 0, 0);
        CHUNK_VARINTS(&f.c, KERNEL_METHOD, 0, 0, 0);
        open_built(&f);
        const uint32_t stack = resolver_stack(&f.r, STACK);
        CHECK(stack < f.symbols.stack_count && f.symbols.stacks[stack].count == before + 1);
        CHECK(str_is(symbols_name(&f.symbols, f.symbols.stacks[stack].locations[before]), "kernel.do_idle"));
    }
}

int main(void)
{
    RUN(frames_of_every_size_are_read);
    RUN(frames_of_another_layout_are_read);
    RUN(over_long_numbers_make_no_second_location);
    RUN(a_stack_that_cannot_be_is_none);
    RUN(a_kernel_function_is_named_whatever_came_before);
    return REPORT();
}
