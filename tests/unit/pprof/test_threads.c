#include "pprof/threads.h"

#include "test.h"

static struct symbols symbols;

static const char *text_of(uint32_t string)
{
    static char text[128];
    snprintf(text, sizeof text, "%.*s", STR_ARG(symbols.strings[string]));
    return text;
}

static const char *label(struct thread_names *t, const char *name)
{
    return text_of(thread_names_label(t, &symbols, str_of(name)));
}

static void numbers_of_pool_threads_are_replaced(void)
{
    struct thread_names t = THREAD_NAMES_INIT(false, 0), raw = THREAD_NAMES_INIT(true, 0);
    char first[128];
    snprintf(first, sizeof first, "%s", label(&t, "pool-1-thread-7"));
    CHECK_STR(label(&t, "pool-1-thread-12"), first);
    CHECK(strcmp(first, "pool-1-thread-7") != 0);
    CHECK_INT(t.count, 1);
    CHECK_STR(label(&raw, "pool-1-thread-7"), "pool-1-thread-7");
    CHECK_STR(label(&raw, "pool-1-thread-12"), "pool-1-thread-12");
    thread_names_done(&t);
    thread_names_done(&raw);
}

static void beyond_the_maximum_all_further_names_are_one(void)
{
    struct thread_names t = THREAD_NAMES_INIT(true, 3);
    CHECK_STR(label(&t, "a"), "a");
    CHECK_STR(label(&t, "b"), "b");
    CHECK_STR(label(&t, "c"), "c");
    CHECK_STR(label(&t, "d"), THREADS_OTHER);
    CHECK_STR(label(&t, "b"), "b"); /* what had a name keeps it */
    CHECK_STR(label(&t, "d"), THREADS_OTHER);
    thread_names_done(&t);
}

static void a_normalised_name_is_added_as_it_is(void)
{
    struct thread_names t = THREAD_NAMES_INIT(false, 2);
    CHECK_STR(text_of(thread_names_add(&t, &symbols, STR("pool-1"))), "pool-1");
    CHECK_STR(label(&t, "b"), "b");
    CHECK_STR(text_of(thread_names_add(&t, &symbols, STR("c"))), THREADS_OTHER);
    thread_names_done(&t);
}

static void full_symbols_are_said(void)
{
    struct thread_names t = THREAD_NAMES_INIT(true, 0);
    struct symbols full;
    symbols_init(&full, 1);
    CHECK(thread_names_label(&t, &full, STR("a name")) == SYMBOLS_FULL);
    symbols_done(&full);
    thread_names_done(&t);
}

int main(void)
{
    symbols_init(&symbols, 1 << 16);
    RUN(numbers_of_pool_threads_are_replaced);
    RUN(beyond_the_maximum_all_further_names_are_one);
    RUN(a_normalised_name_is_added_as_it_is);
    RUN(full_symbols_are_said);
    symbols_done(&symbols);
    return REPORT();
}
