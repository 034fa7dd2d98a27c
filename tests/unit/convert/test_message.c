/* What is believed of a message: the side that sent it may have been taken over. */
#include "convert/message.h"

#include <errno.h>

#include "test.h"

static const struct convert_options options = {
    .settings.event = "itimer", .limits = {.output = 1 << 20, .text = 1 << 20}, .series_max = 10};

static void requests_have_the_range_that_belongs_to_them(void)
{
    static const struct {
        struct convert_request rq;
        const char *why; /* NULL: fine */
    } cases[] = {
        {{.op = CONVERT_OPEN}, NULL},
        {{.op = CONVERT_OPEN, .size = 16}, NULL},
        {{.op = CONVERT_OPEN, .size = 15}, "series"},
        {{.op = CONVERT_OPEN, .size = 8 * (CONVERT_SERIES_MAX + 1)}, "series"},
        {{.op = CONVERT_CHUNK, .size = 1}, NULL},
        {{.op = CONVERT_CHUNK}, "empty chunk"},
        {{.op = CONVERT_FINISH}, NULL},
        {{.op = CONVERT_FINISH, .size = 1}, "unexpected bytes"},
        {{.op = 0}, "unknown request"},
        {{.op = 99}, "unknown request"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = {0};
        CHECK_INT(convert_request_check(&cases[i].rq, &err), cases[i].why ? -EBADMSG : 0);
        CHECK_HAS(err.text, cases[i].why ? cases[i].why : "");
    }
    struct convert_request rq = {.op = CONVERT_OPEN};
    memset(rq.open.settings.event, 'x', sizeof rq.open.settings.event);
    CHECK_INT(convert_request_check(&rq, NULL), -EBADMSG);
}

static void check_reply(const struct convert_reply *r, const char *why)
{
    struct err err = {0};
    CHECK_INT(convert_reply_check(r, &options, &err), why ? -EBADMSG : 0);
    CHECK_HAS(err.text, why ? why : "");
}

static void replies_are_not_believed(void)
{
    check_reply(&(struct convert_reply){.profile_count = 3, .series_count = 10, .cpu_ns = 5}, NULL);
    check_reply(&(struct convert_reply){.code = -EBADMSG, .why = "chunk header: no JFR magic"}, NULL);
    check_reply(&(struct convert_reply){.code = 1}, "out of range");
    check_reply(&(struct convert_reply){.cpu_ns = -1}, "out of range");
    check_reply(&(struct convert_reply){.profile_count = CONVERT_PROFILES_MAX + 1}, "too many profiles");
    check_reply(&(struct convert_reply){.code = -E2BIG, .profile_count = 1}, "too many profiles");
    check_reply(&(struct convert_reply){.series_count = 11}, "too many series");
    struct convert_reply endless = {0};
    memset(endless.why, 'x', sizeof endless.why);
    check_reply(&endless, "unterminated");
    endless = (struct convert_reply){0};
    memset(endless.settings.event, 'x', sizeof endless.settings.event);
    check_reply(&endless, "unterminated");
}

static void check_profile(const struct convert_profile *p, const char *why)
{
    struct err err = {0};
    CHECK_INT(convert_profile_check(p, &options, &err), why ? -EBADMSG : 0);
    CHECK_HAS(err.text, why ? why : "");
}

/* A type becomes __name__, a label a label: with others of either a series of somebody else could be written to. */
static void profiles_are_not_believed(void)
{
    const struct convert_profile good = {
        .type = "process_cpu", .label_count = 1, .labels = {{"jfr_event", "itimer"}}, .size = 100};
    check_profile(&good, NULL);
    CHECK_STR(convert_label(&good, "jfr_event"), "itimer");
    CHECK_STR(convert_label(&good, "other"), "");

    static const char *const names[] = {"", "with space", "UPPER", "{a=\"b\"}"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct convert_profile p = good;
        snprintf(p.type, sizeof p.type, "%s", names[i]);
        check_profile(&p, "without a name");
        p = good;
        snprintf(p.labels[0].name, sizeof p.labels[0].name, "%s", names[i]);
        check_profile(&p, "invalid label");
    }
    struct convert_profile p = good;
    memset(p.type, 'x', sizeof p.type);
    check_profile(&p, "without a name");
    p = good;
    memset(p.labels[0].value, 'x', sizeof p.labels[0].value);
    check_profile(&p, "invalid label");
    p = good;
    p.label_count = CONVERT_LABELS_MAX + 1;
    check_profile(&p, "too many labels");
    p = good;
    p.size = 0;
    check_profile(&p, "exceeds the limits");
    p.size = 5 << 20;
    check_profile(&p, "exceeds the limits");
}

int main(void)
{
    RUN(requests_have_the_range_that_belongs_to_them);
    RUN(replies_are_not_believed);
    RUN(profiles_are_not_believed);
    return REPORT();
}
