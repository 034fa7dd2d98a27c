#include "base/log.h"

#include <jansson.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "test.h"

static int out = -1;
static char line[4096];

/* What a line with this text says behind msg=m. */
static const char *logged(enum log_format format, const char *text)
{
    log_setup(LOG_INFO, format);
    CHECK(ftruncate(out, 0) == 0 && lseek(out, 0, SEEK_SET) == 0);
    log_info("m", L_STR("k", text));
    const ssize_t n = pread(out, line, sizeof line - 1, 0);
    line[n > 0 ? n : 0] = '\0';
    char *at = strstr(line, format == LOG_JSON ? "\"k\":" : "k=");
    if (!at)
        return line;
    at[strcspn(at, "\n")] = '\0';
    return at;
}

static void quotes_what_needs_it(void)
{
    CHECK_STR(logged(LOG_LOGFMT, "plain"), "k=plain");
    CHECK_STR(logged(LOG_LOGFMT, ""), "k=\"\"");
    CHECK_STR(logged(LOG_LOGFMT, "a b"), "k=\"a b\"");
    CHECK_STR(logged(LOG_LOGFMT, "a=\"b\\"), "k=\"a=\\\"b\\\\\"");
    CHECK_STR(logged(LOG_LOGFMT, "grün→東"), "k=grün→東");
}

static void escapes_what_would_act_on_a_terminal(void)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"a\nlevel=error", "k=\"a\\nlevel=error\""},
        {"\x1b[2J", "k=\"\\u001b[2J\""},
        {"\x7f", "k=\"\\u007f\""},
        {"\xc2\x9b"
         "31m",
         "k=\"\\u009b31m\""}, /* C1 control */
        {"a\xe2\x80\xae"
         "b",
         "k=\"a\\u202eb\""},                                    /* right-to-left override */
        {"\xe2\x81\xa6x\xe2\x81\xa9", "k=\"\\u2066x\\u2069\""}, /* isolates */
        {"\xe2\x80\xa8", "k=\"\\u2028\""},                      /* line separator */
        {"\x9b"
         "31m",
         "k=\"\\x9b31m\""}, /* no UTF-8 */
        {"\xff\xfe", "k=\"\\xff\\xfe\""},
        {"\xc3", "k=\"\\xc3\""},                            /* cut off */
        {"\xed\xa0\x80", "k=\"\\xed\\xa0\\x80\""},          /* surrogate */
        {"\xc0\xaf", "k=\"\\xc0\\xaf\""},                   /* overlong */
        {"\xf4\x90\x80\x80", "k=\"\\xf4\\x90\\x80\\x80\""}, /* beyond Unicode */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_STR(logged(LOG_LOGFMT, cases[i].text), cases[i].want);
}

static void stays_json_whatever_the_text_is(void)
{
    static const char *const texts[] = {"a\nb", "\x1b", "\xff\xfe", "\xc2\x9b", "\xe2\x80\xae", "\"\\", "\x7f", "\xc3"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        logged(LOG_JSON, texts[i]);
        json_error_t why;
        json_t *whole = json_loads(line, 0, &why);
        if (!whole)
            FAIL_("text %zu: %s in %s", i, why.text, line);
        json_decref(whole);
    }
    CHECK_STR(logged(LOG_JSON, "a\xff"), "\"k\":\"a\\ufffd\"}");
    CHECK_STR(logged(LOG_JSON, "a\x1b"), "\"k\":\"a\\u001b\"}");
}

static void hides_secrets(void)
{
    CHECK_STR(logged(LOG_LOGFMT, "push to http://u:p@h/ failed"), "k=\"push to http://(secret)@h/ failed\"");
    CHECK_STR(logged(LOG_JSON, "password=x"), "\"k\":\"password=(secret)\"}");
}

int main(void)
{
    out = memfd_create("log", MFD_CLOEXEC);
    log_to(out);
    RUN(quotes_what_needs_it);
    RUN(escapes_what_would_act_on_a_terminal);
    RUN(stays_json_whatever_the_text_is);
    RUN(hides_secrets);
    return REPORT();
}
