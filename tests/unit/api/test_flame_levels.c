#include "api/pyroscope/flame_levels.h"

#include "base/wire.h"
#include "test.h"

enum { MAX = 1 << 20 };

/* A flame of "main;a;b 1000,main;c 500". */
static void make(struct flame *f, const char *stacks)
{
    struct str rest = str_of(stacks), one, name;
    flame_init(f, 1000, MAX);
    while (str_split(&rest, ',', &one) && one.n) {
        int64_t value = 0;
        const char *space = memrchr(one.p, ' ', one.n);
        struct str stack = {one.p, (size_t)(space - one.p)};
        CHECK(str_to_i64((struct str){space + 1, (size_t)(one.p + one.n - space - 1)}, &value));
        uint32_t node = 0;
        while (str_split(&stack, ';', &name))
            node = flame_step(f, node, flame_name(f, name));
        flame_add(f, node, value);
    }
}

/* "total,main | 0,5,0,0 | …; total 5 self 3" */
static void print(const struct flame_levels *l, struct buf *text)
{
    cleanup_buf struct buf out = BUF_INIT(MAX);
    flame_levels_put(l, &out);
    struct wire_reader r = wire_reader_of(buf_slice(&out));
    struct wire_field f, level;
    while (wire_next(&r, &f)) {
        if (f.number_of == 1) {
            buf_printf(text, "%s%.*s", text->len ? "," : "", STR_ARG(f.bytes));
        } else if (f.number_of == 2) {
            struct wire_reader in = wire_reader_of(f.bytes);
            CHECK(wire_next(&in, &level));
            struct wire_reader packed = wire_reader_of(level.bytes);
            uint64_t v;
            const char *between = " | ";
            while (wire_next_packed(&packed, &v)) {
                buf_printf(text, "%s%lld", between, (long long)v);
                between = ",";
            }
        } else {
            buf_printf(text, " %u:%llu", f.number_of, (unsigned long long)f.number);
        }
    }
}

static void check(const char *stacks, size_t nodes, const char *want)
{
    cleanup_buf struct buf text = BUF_INIT(MAX);
    cleanup_flame struct flame f;
    cleanup_flame_levels struct flame_levels l;
    make(&f, stacks);
    flame_levels_init(&l, &f, nodes);
    print(&l, &text);
    CHECK_STR(buf_cstr(&text), want);
}

#define EXAMPLE "main;a 200,main;a;b 1000,main;a;c 500,main;d 300"

static void levels_are_those_of_the_reference(void)
{
    check(
        EXAMPLE, 8192,
        "total,main,d,a,c,b | 0,2000,0,0 | 0,2000,0,1 | 0,1700,200,3,0,300,300,2 | 200,1000,1000,5,0,500,500,4 3:2000 "
        "4:1000");
    check("", 8192, "total | 0,0,0,0");
}

static void what_is_too_small_becomes_other(void)
{
    check(EXAMPLE, 2,
          "total,main,other,a | 0,2000,0,0 | 0,2000,0,1 | 0,1700,200,3,0,300,300,2 | 200,1500,1500,2 3:2000 "
          "4:1500");
    /* As large as the last one that stays: they all do. */
    check("a 5,b 5,c 5,d 1", 2, "total,other,c,b,a | 0,16,0,0 | 0,5,5,4,0,5,5,3,0,5,5,2,0,1,1,1 3:16 4:5");
}

static void functions_may_be_called_like_the_root_and_the_rest(void)
{
    check("total;other;x 2,total 3", 8192, "total,total,other,x | 0,5,0,0 | 0,5,3,1 | 3,2,0,2 | 3,2,2,3 3:5 4:3");
    check("other;x 9,other;y 8,z 1", 2, "total,other,other,x | 0,18,0,0 | 0,17,0,2,0,1,1,1 | 0,9,9,3,0,8,8,1 3:18 4:9");
}

static void nodes_without_a_value_are_left_out(void)
{
    check("a;b 0,c 1", 8192, "total,c | 0,1,0,0 | 0,1,1,1 3:1 4:1");
}

static void two_sides_have_one_shape(void)
{
    cleanup_buf struct buf text = BUF_INIT(MAX), empty = BUF_INIT(MAX);
    cleanup_flame struct flame left, right, both, none, nothing;
    make(&left, "main;a 60,main;a;b 300,main;a;c 150,main;d 90");
    make(&right, "main;a 140,main;a;b 700,main;a;c 350,main;d 210");
    make(&both, "");
    make(&none, "");
    make(&nothing, "");
    cleanup_flame_levels struct flame_levels l, n;
    flame_levels_compare(&l, &both, &left, &right, 8192);
    print(&l, &text);
    CHECK_STR(buf_cstr(&text),
              "total,main,d,a,c,b | 0,600,0,0,1400,0,0 | 0,600,0,0,1400,0,1 | "
              "0,510,60,0,1190,140,3,0,90,90,0,210,210,2 | 60,300,300,140,700,700,5,0,150,150,0,350,350,4 3:2000 4:700 "
              "5:600 6:1400");
    flame_levels_compare(&n, &nothing, &none, &none, 8192);
    print(&n, &empty);
    CHECK_STR(buf_cstr(&empty), "total | 0,0,0,0,0,0,0");
}

static void the_tree_format_is_preorder(void)
{
    cleanup_buf struct buf all = BUF_INIT(MAX), some = BUF_INIT(MAX);
    cleanup_flame struct flame f;
    make(&f, "m;a 2,m;a;b 10,m;d 3");
    cleanup_flame_levels struct flame_levels l, cut;
    flame_levels_init(&l, &f, 100);
    flame_levels_put_tree(&l, &all);
    CHECK(str_eq(buf_slice(&all), STR("\0\0\1"
                                      "\1m\0\2"
                                      "\1d\3\0"
                                      "\1a\2\1"
                                      "\1b\12\0")));
    flame_levels_init(&cut, &f, 3);
    flame_levels_put_tree(&cut, &some);
    CHECK(str_eq(buf_slice(&some), STR("\0\0\1"
                                       "\1m\0\2"
                                       "\5other\3\0"
                                       "\1a\2\1"
                                       "\1b\12\0")));
}

static void a_deep_stack_is_walked_without_recursion(void)
{
    enum { DEPTH = 2048 };
    cleanup_flame struct flame f;
    flame_init(&f, 2 * DEPTH, MAX);
    uint32_t node = 0;
    for (int i = 0; i < DEPTH; i++)
        node = flame_step(&f, node, flame_name(&f, STR("f")));
    flame_add(&f, node, 1);
    cleanup_flame_levels struct flame_levels l;
    flame_levels_init(&l, &f, 2 * DEPTH);
    cleanup_buf struct buf out = BUF_INIT(MAX), tree = BUF_INIT(MAX);
    flame_levels_put(&l, &out);
    flame_levels_put_tree(&l, &tree);
    struct wire_reader r = wire_reader_of(buf_slice(&out));
    struct wire_field got;
    unsigned levels = 0;
    while (wire_next(&r, &got))
        levels += got.number_of == 2;
    CHECK_INT(levels, DEPTH + 1);
    CHECK(tree.len > 4 * DEPTH);
}

int main(void)
{
    RUN(levels_are_those_of_the_reference);
    RUN(what_is_too_small_becomes_other);
    RUN(functions_may_be_called_like_the_root_and_the_rest);
    RUN(nodes_without_a_value_are_left_out);
    RUN(two_sides_have_one_shape);
    RUN(the_tree_format_is_preorder);
    RUN(a_deep_stack_is_walked_without_recursion);
    return REPORT();
}
