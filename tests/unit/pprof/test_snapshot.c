#include "pprof/snapshot.h"

#include <errno.h>

#include "base/gzip.h"
#include "test.h"

/* contexts: {7: {1: 2, 9: 2}}, where no string is called 9; strings: {1: "route", 2: "/cart"}. */
static const char bytes[] = "\x0a\x10\x08\x07\x12\x06\x0a\x04\x08\x01\x10\x02\x12\x04\x08\x09\x10\x02"
                            "\x12\x09\x08\x01\x12\x05route"
                            "\x12\x09\x08\x02\x12\x05/cart";
/* The same with one pair. */
static const char one_pair[] = "\x0a\x0a\x08\x07\x12\x06\x0a\x04\x08\x01\x10\x02"
                               "\x12\x09\x08\x01\x12\x05route"
                               "\x12\x09\x08\x02\x12\x05/cart";

static void check_context(const struct snapshot *s, const struct symbols *symbols)
{
    const struct pprof_labels *context = snapshot_context(s, 7);
    CHECK_INT(context->count, 1);
    if (context->count == 1) {
        CHECK(str_is(symbols->strings[context->labels[0].key], "route"));
        CHECK(str_is(symbols->strings[context->labels[0].str], "/cart"));
    }
}

static void contexts_lead_to_pairs_of_texts(void)
{
    cleanup_symbols struct symbols symbols;
    struct snapshot s = {0};
    struct err err = {0};
    symbols_init(&symbols, 1 << 16);
    CHECK_INT(snapshot_read(&s, STR(one_pair), &symbols, &err), 0);
    check_context(&s, &symbols);
    CHECK(str_is(symbols.strings[snapshot_string(&s, 2)], "/cart"));
    CHECK_INT(snapshot_string(&s, 3), 0);
    CHECK_INT(snapshot_context(&s, 8)->count, 0);
    snapshot_done(&s);
}

static void it_may_be_gzip(void)
{
    cleanup_symbols struct symbols symbols;
    struct snapshot s = {0};
    struct err err = {0};
    struct buf packed = BUF_INIT(1 << 16);
    symbols_init(&symbols, 1 << 16);
    CHECK_INT(gzip_deflate(STR(one_pair), 1, &packed), 0);
    CHECK_INT(snapshot_read(&s, buf_slice(&packed), &symbols, &err), 0);
    CHECK_STR(err.text, "");
    check_context(&s, &symbols);
    snapshot_done(&s);
    buf_done(&packed);
}

static void any_cut_of_it_is_refused_or_read_but_never_believed_beyond(void)
{
    for (size_t n = 0; n < sizeof bytes - 1; n++) {
        cleanup_symbols struct symbols symbols;
        struct snapshot s = {0};
        symbols_init(&symbols, 1 << 16);
        const int code = snapshot_read(&s, (struct str){bytes, n}, &symbols, NULL);
        CHECK(code == 0 || code == -EBADMSG);
        snapshot_done(&s);
    }
}

static void more_than_symbols_take_is_too_big(void)
{
    cleanup_symbols struct symbols symbols;
    struct snapshot s = {0};
    struct err err = {0};
    symbols_init(&symbols, 1);
    CHECK_INT(snapshot_read(&s, STR(one_pair), &symbols, &err), -E2BIG);
    CHECK(err.text[0]);
    snapshot_done(&s);
}

int main(void)
{
    RUN(contexts_lead_to_pairs_of_texts);
    RUN(it_may_be_gzip);
    RUN(any_cut_of_it_is_refused_or_read_but_never_believed_beyond);
    RUN(more_than_symbols_take_is_too_big);
    return REPORT();
}
