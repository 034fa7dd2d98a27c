/* The component in a running graph, between a source and a sink. */
#include "components/forward_fixture.h"

extern const struct component_def pyroscope_enrich;

static struct controller *enrich_begin(void)
{
    return forward_begin(&pyroscope_enrich);
}

static void load_(int line, struct controller *c, const char *body, const char *want)
{
    char text[2048];
    snprintf(text, sizeof text,
             "pyroscope.enrich \"e\" {\n%s}\ntest.sink \"k\" { }\n"
             "test.source \"s\" {\n forward_to = [pyroscope.enrich.e.receiver]\n}\n",
             body);
    load_check(line, c, text, want);
}
#define ENRICH(c, body, want) load_(__LINE__, c, body, want)
#define TO_SINK               "forward_to = [test.sink.k.receiver]\n"
#define TARGETS                                                                                                        \
    "targets = [{\"service\" = \"shop\", \"env\" = \"prod\", \"owner\" = \"a\", \"foo\" = \"bar\"},\n"                 \
    "           {\"service\" = \"bank\", \"env\" = \"test\"}, {\"service\" = \"bank\", \"env\" = \"prod\"},\n"         \
    "           {\"env\" = \"nobody\"}, {\"service\" = \"\", \"env\" = \"nobody\"}]\n"

static const char *sent(struct labels *labels)
{
    static char text[1024];
    buf_reset(&arrived);
    send_profile(labels, "p");
    snprintf(text, sizeof text, "%s", buf_cstr(&arrived));
    return text;
}

static void chosen_labels_are_copied(void)
{
    struct controller *c = enrich_begin();
    ENRICH(c,
           TO_SINK TARGETS "target_match_label = \"service\"\nprofiles_match_label = \"service_name\"\n"
                           "labels_to_copy = [\"env\", \"owner\", \"missing\"]\n",
           "");
    CHECK_STR(sent(LABELS("service_name", "shop")), "{env=\"prod\", owner=\"a\", service_name=\"shop\"} p\n");
    CHECK_STR(sent(LABELS("service_name", "shop", "env", "old")),
              "{env=\"prod\", owner=\"a\", service_name=\"shop\"} p\n");
    CHECK_STR(sent(LABELS("service_name", "bank", "owner", "own")),
              "{env=\"prod\", owner=\"own\", service_name=\"bank\"} p\n"); /* of two targets the last */
    forward_end(c);
}

static void all_labels_are_copied_if_none_is_named(void)
{
    struct controller *c = enrich_begin();
    ENRICH(c, TO_SINK TARGETS "target_match_label = \"service\"\n", "");
    CHECK_STR(sent(LABELS("service", "shop", "original", "label")),
              "{env=\"prod\", foo=\"bar\", original=\"label\", owner=\"a\", service=\"shop\"} p\n");
    forward_end(c);
}

static void without_a_match_a_profile_is_passed_on_unchanged(void)
{
    struct controller *c = enrich_begin();
    ENRICH(c, TO_SINK TARGETS "target_match_label = \"service\"\n", "");
    CHECK_STR(sent(LABELS("service", "other", "a", "1")), "{a=\"1\", service=\"other\"} p\n");
    CHECK_STR(sent(LABELS("a", "1")), "{a=\"1\"} p\n");
    CHECK_STR(sent(LABELS("service", "", "a", "1")), "{a=\"1\", service=\"\"} p\n");
    CHECK_STR(debug_member(c, "pyroscope.enrich.e", "profiles_unmatched"), "3");
    CHECK_STR(debug_member(c, "pyroscope.enrich.e", "profiles_matched"), "0");
    CHECK_STR(debug_member(c, "pyroscope.enrich.e", "targets"), "2");
    forward_end(c);
}

static void new_targets_and_receivers_count_at_once(void)
{
    struct controller *c = enrich_begin();
    ENRICH(c, TO_SINK "targets = []\ntarget_match_label = \"service\"\n", "");
    struct receiver *before = to;
    CHECK_STR(sent(LABELS("service", "shop")), "{service=\"shop\"} p\n");
    ENRICH(c, TO_SINK TARGETS "target_match_label = \"service\"\nlabels_to_copy = [\"env\"]\n", "");
    CHECK_STR(sent(LABELS("service", "shop")), "{env=\"prod\", service=\"shop\"} p\n");
    ENRICH(c, "forward_to = [test.sink.k.receiver, test.sink.k.receiver]\n" TARGETS "target_match_label = \"env\"\n",
           "");
    CHECK_STR(sent(LABELS("env", "test")), "{env=\"test\", service=\"bank\"} p\n{env=\"test\", service=\"bank\"} p\n");
    ENRICH(c, "forward_to = []\n" TARGETS "target_match_label = \"env\"\n", "");
    CHECK_STR(sent(LABELS("env", "test")), "");
    CHECK(to == before);
    forward_end(c);
}

static void recordings_are_enriched_too(void)
{
    struct controller *c = enrich_begin();
    ENRICH(c, TO_SINK TARGETS "target_match_label = \"service\"\nlabels_to_copy = [\"env\"]\n", "");
    buf_reset(&arrived);
    send_recording(LABELS("service", "shop", "__name__", "jfr"), "JFR");
    CHECK_STR(buf_cstr(&arrived), "{__name__=\"jfr\", env=\"prod\", service=\"shop\"} 3 bytes of JFR\n");
    CHECK_STR(debug_member(c, "pyroscope.enrich.e", "profiles_matched"), "0");
    ENRICH(c, "forward_to = []\n" TARGETS "target_match_label = \"service\"\n", "");
    buf_reset(&arrived);
    send_recording(LABELS("service", "shop"), "JFR");
    CHECK_STR(buf_cstr(&arrived), "");
    forward_end(c);
}

static void bodies_of_ingest_are_enriched_too(void)
{
    struct controller *c = enrich_begin();
    ENRICH(c, TO_SINK TARGETS "target_match_label = \"service\"\nlabels_to_copy = [\"env\"]\n", "");
    buf_reset(&arrived);
    send_ingest(LABELS("service", "shop", "__name__", "shop"), "a;b 1");
    CHECK_STR(buf_cstr(&arrived),
              "{__name__=\"shop\", env=\"prod\", service=\"shop\"} text/plain|format=lines|a;b 1\n");
    CHECK_STR(debug_member(c, "pyroscope.enrich.e", "profiles_matched"), "1");
    forward_end(c);
}

static void impossible_arguments_are_rejected(void)
{
    struct controller *c = enrich_begin();
#define FAILS "f:1:1: Failed to build component: decoding configuration: "
    ENRICH(c, TO_SINK "targets = []\n", FAILS "missing required attribute \"target_match_label\"");
    ENRICH(c, TO_SINK "target_match_label = \"a\"\n", FAILS "missing required attribute \"targets\"");
    ENRICH(c, "targets = []\ntarget_match_label = \"a\"\n", FAILS "missing required attribute \"forward_to\"");
    ENRICH(c, TO_SINK "targets = []\ntarget_match_label = \"\"\n", FAILS "target_match_label must not be empty");
    ENRICH(c, TO_SINK "targets = [5]\ntarget_match_label = \"a\"\n",
           "f:3:12: 5 target::ConvertFrom: conversion from 'int64' is not supported");
    forward_end(c);
}

int main(void)
{
    RUN(chosen_labels_are_copied);
    RUN(all_labels_are_copied_if_none_is_named);
    RUN(without_a_match_a_profile_is_passed_on_unchanged);
    RUN(new_targets_and_receivers_count_at_once);
    RUN(recordings_are_enriched_too);
    RUN(bodies_of_ingest_are_enriched_too);
    RUN(impossible_arguments_are_rejected);
    return REPORT();
}
