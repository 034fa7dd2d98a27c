#include "components/pyroscope_scrape_reply.h"

#include <errno.h>

#include "test.h"

#define OCTETS "application/octet-stream"

static void a_profile_is_told_from_what_is_none(void)
{
    static const struct {
        int status;
        const char *type, *body, *problem; /* "" = a profile */
    } cases[] = {
        {200, OCTETS, "\x1f\x8b\x08", ""},
        {200, OCTETS "; charset=binary", "\x0a\x04\x08\x01\x10\x02", ""},
        {204, OCTETS, "\x0a\x04\x08\x01\x10\x02", ""},
        {404, "text/plain", " not here \n", "server returned HTTP status (404) not here"},
        {500, "", "", "server returned HTTP status (500) "},
        {200, OCTETS, "", "empty memory profile"},
        {200, "", "\x1f\x8b\x08", "missing Content-Type header"},
        {200, "text/html", "\x1f\x8b\x08", "unexpected Content-Type text/html, expected application/octet-stream"},
        {200, OCTETS, "\n <!DOCTYPE html><html>", "text response instead of pprof: \"\n <!DOCTYPE html><html>\""},
        {200, OCTETS, "<HTML><body></body>", "text response instead of pprof"},
        {200, OCTETS, "{\"error\":\"not found\",\"code\":404}", "text response instead of pprof"},
        {200, OCTETS, "\x0a\x04", "data too short for pprof format"},
        {200, OCTETS, "not a profile", "illegal wireType 6 (expected 0-5)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};
        const int code = scrape_reply_check(cases[i].status, cases[i].type, str_of(cases[i].body), "memory", &err);
        CHECK_INT(code, *cases[i].problem ? -EBADMSG : 0);
        CHECK_HAS(err.text, cases[i].problem);
    }
}

int main(void)
{
    RUN(a_profile_is_told_from_what_is_none);
    return REPORT();
}
