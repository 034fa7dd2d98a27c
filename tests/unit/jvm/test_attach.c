/* What replies to `load` say; the exchange itself is tried on real JVMs in test_operations.c. */
#include "jvm/attach/attach.h"

#include "test.h"

static struct jvm_load_reply parse(const char *reply)
{
    struct jvm_load_reply r;
    jvm_attach_parse_load(str_of(reply), &r);
    return r;
}

static void success_in_every_dialect(void)
{
    CHECK(parse("0\nreturn code: 0\n").loaded);
    CHECK_INT(parse("0\nreturn code: 200\n").result, 200);
    CHECK(parse("0\nreturn code: 200\n").loaded);
    CHECK(parse("0\n0\n").loaded); /* JDK 8 */
    CHECK_INT(parse("0\n100\n").result, 100);
    CHECK(parse("0\n100\n").loaded);
}

static void failure_in_every_dialect(void)
{
    struct jvm_load_reply r = parse("-1\n/x.so was not loaded.\n/x.so: cannot open\n");
    CHECK(!r.loaded && !r.early);
    CHECK_STR(r.message, "/x.so was not loaded. /x.so: cannot open");
    r = parse("0\nDynamic agent loading is not enabled. Use -XX:+Enable\n"); /* JDK 25 */
    CHECK(!r.loaded);
    CHECK_HAS(r.message, "Dynamic agent loading is not enabled");
    r = parse("0\nDynamic agent loading is only permitted in the live phase\n");
    CHECK(!r.loaded && r.early);
}

static void what_makes_no_sense_is_no_success(void)
{
    static const char *const replies[] = {"",
                                          "\n",
                                          "0",
                                          "0\n",
                                          "101\n",
                                          "-1\n",
                                          "x\n0\n",
                                          "0\nreturn code: \n",
                                          "0\nreturn code: 1x",
                                          "0\nreturn code: 99999999999\n"};
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        struct jvm_load_reply r = parse(replies[i]);
        if (r.loaded)
            FAIL_("\"%s\" counts as loaded", replies[i]);
        CHECK(r.message[0]);
    }
}

static void a_message_is_one_printable_line(void)
{
    char reply[4096] = "-1\n";
    memset(reply + 3, 'x', sizeof reply - 4);
    reply[10] = '\n';
    reply[11] = '\033';
    struct jvm_load_reply r = parse(reply);
    CHECK_INT(strlen(r.message), sizeof r.message - 1);
    for (const char *c = r.message; *c; c++)
        CHECK((unsigned char)*c >= ' ');
    /* CSI as a C1 control, and text from right to left. */
    r = parse("-1\nred \xc2\x9b"
              "31m and \xe2\x80\xae"
              "back\x7f and \xc3\xa9\n");
    CHECK_STR(r.message, "red  31m and  back  and \xc3\xa9");
}

int main(void)
{
    RUN(success_in_every_dialect);
    RUN(failure_in_every_dialect);
    RUN(what_makes_no_sense_is_no_success);
    RUN(a_message_is_one_printable_line);
    return REPORT();
}
