#include "kubernetes/kube_items.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "test.h"

static void note(void *arg, enum kube_item_kind kind, struct str json)
{
    buf_puts(arg, kind == KUBE_METADATA ? "m:" : "i:");
    buf_str(arg, json);
    buf_byte(arg, '\n');
}

/* What is found when the text comes in parts of `step` bytes. */
static char *items_of(enum kube_stream stream, const char *text, size_t step, int *code, bool *complete)
{
    cleanup_buf struct buf found = BUF_INIT(1 << 20);
    struct kube_items s;
    kube_items_init(&s, stream, note, &found);
    *code = 0;
    for (size_t at = 0, n = strlen(text); *code == 0 && at < n; at += step)
        *code = kube_items_feed(&s, (struct str){text + at, n - at < step ? n - at : step});
    *complete = kube_items_complete(&s);
    kube_items_done(&s);
    return xstrdup(buf_cstr(&found));
}

static void check(enum kube_stream stream, const char *text, const char *want)
{
    for (size_t step = 1; step < 40; step += 3) {
        int code;
        bool complete;
        cleanup_free char *found = items_of(stream, text, step, &code, &complete);
        CHECK_INT(code, 0);
        CHECK(complete);
        CHECK_STR(found, want);
    }
}

static void finds_the_objects_of_a_list(void)
{
    check(KUBE_LIST,
          "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"7\",\"a\":{}},\n"
          "\"other\":[{\"no\":1}],\"items\":[{\"metadata\":{\"x\":[{}]}}, {\"b\":\"}]\\\"{\"} , {}]}",
          "m:{\"resourceVersion\":\"7\",\"a\":{}}\ni:{\"metadata\":{\"x\":[{}]}}\ni:{\"b\":\"}]\\\"{\"}\ni:{}\n");
    check(KUBE_LIST, "{\"items\":null,\"metadata\":{}}", "m:{}\n");
    check(KUBE_LIST, "{\"items\":[],\"a long name, metadata\":{}}", "");
}

static void finds_the_events_of_a_watch(void)
{
    check(KUBE_WATCH, "{\"type\":\"ADDED\",\"object\":{\"items\":[{}]}}\n{\"type\":\"BOOKMARK\"}\n",
          "i:{\"type\":\"ADDED\",\"object\":{\"items\":[{}]}}\ni:{\"type\":\"BOOKMARK\"}\n");
    check(KUBE_WATCH, "", "");
}

static void tells_what_is_not_complete(void)
{
    static const char *const cut[] = {"{\"items\":[{}", "{\"a\":\"}", "{", "{\"a\":\"\\\"}"};
    for (size_t i = 0; i < ARRAY_LEN(cut); i++) {
        int code;
        bool complete;
        free(items_of(KUBE_LIST, cut[i], 5, &code, &complete));
        CHECK_INT(code, 0);
        CHECK(!complete);
    }
}

static void rejects_what_is_no_json(void)
{
    int code;
    bool complete;
    free(items_of(KUBE_WATCH, "{}]", 9, &code, &complete));
    CHECK_INT(code, -EINVAL);
    cleanup_free char *deep = xcalloc(KUBE_DEPTH_MAX + 2, 1);
    memset(deep, '[', KUBE_DEPTH_MAX + 1);
    free(items_of(KUBE_WATCH, deep, 100, &code, &complete));
    CHECK_INT(code, -EINVAL);
}

static void leaves_out_an_object_that_is_too_large(void)
{
    cleanup_buf struct buf found = BUF_INIT(1 << 20);
    struct kube_items s;
    static char filler[1 << 20];
    memset(filler, 'x', sizeof filler);
    kube_items_init(&s, KUBE_WATCH, note, &found);
    CHECK_INT(kube_items_feed(&s, STR("{\"a\":\"")), 0);
    for (unsigned i = 0; i < (KUBE_OBJECT_MAX >> 20) + 1; i++)
        CHECK_INT(kube_items_feed(&s, (struct str){filler, sizeof filler}), 0);
    CHECK_INT(kube_items_feed(&s, STR("\"}{\"b\":1}")), 0);
    CHECK_INT(s.oversized, 1);
    CHECK_STR(buf_cstr(&found), "i:{\"b\":1}\n");
    kube_items_done(&s);
}

int main(void)
{
    RUN(finds_the_objects_of_a_list);
    RUN(finds_the_events_of_a_watch);
    RUN(tells_what_is_not_complete);
    RUN(rejects_what_is_no_json);
    RUN(leaves_out_an_object_that_is_too_large);
    return REPORT();
}
