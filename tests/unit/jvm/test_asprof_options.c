#include "jvm/attach/asprof_options.h"

#include <errno.h>

#include "base/cleanup.h"
#include "test.h"

static char text[1024];
static struct err err;

static int parse(bool from_config, size_t n, const char *const *args)
{
    cleanup_buf struct buf out = BUF_INIT(sizeof text - 1);
    err = (struct err){0};
    int code = asprof_options_parse(args, n, from_config, &out, &err);
    snprintf(text, sizeof text, "%s", buf_cstr(&out));
    return code;
}
#define PARSE(from_config, ...)                                                                                        \
    parse(from_config, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), (const char *const[]){__VA_ARGS__})

static void options_become_the_agents(void)
{
    CHECK_INT(PARSE(true, "-e", "itimer", "-i", "10ms", "--alloc", "512k", "--lock", "10ms", "-t"), 0);
    CHECK_STR(text, "event=itimer,interval=10ms,alloc=512k,lock=10ms,threads");
    CHECK_INT(PARSE(true, "-e", "cpu/umask=0x1,event=0xd3/"), 0);
    CHECK_STR(text, "event=cpu/umask=0x1:event=0xd3/");
    CHECK_INT(PARSE(true, "-F", "vtable,comptask", "--filter", "--ithread", "main", "--xthread", "GC*"), 0);
    CHECK_STR(text, "features=vtable+comptask,filter,ithread=main,xthread=GC*");
    CHECK_INT(PARSE(true, "--ratelimit", "cpu:100,wall:5"), 0);
    CHECK_STR(text, "ratelimit=cpu:100;wall:5");
    CHECK_INT(PARSE(false, "--title", "a<b & c, d"), 0);
    CHECK_STR(text, "title=a&lt;b &amp; c&#44; d");
    CHECK_INT(PARSE(true, "-j", "256/128", "--cstack", "vm"), 0);
    CHECK_STR(text, "jstackdepth=256/128,cstack=vm");
}

static void what_belongs_to_the_session_is_refused_by_name(void)
{
    const struct {
        const char *args[2], *part;
    } cases[] = {
        {{"-f", "/tmp/x"}, "-f"},
        {{"-o", "jfr"}, "-o"},
        {{"-d", "30"}, "-d"},
        {{"--loop", "1m"}, "--loop"},
        {{"--timeout", "9"}, "--timeout"},
        {{"--chunktime", "5"}, "--chunktime"},
        {{"--chunksize", "1m"}, "--chunksize"},
        {{"--clock", "tsc"}, "--clock"},
        {{"--jfrsync", "profile"}, "--jfrsync"},
        {{"start", "-t"}, "start"},
        {{"123", "-t"}, "123"},
        {{"--libpath", "/x"}, "dist"},
        {{"--title", "x"}, "--title"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK(parse(true, 2, cases[i].args) < 0);
        CHECK_HAS(err.text, cases[i].part);
    }
}

static void nonsense_is_an_error_and_says_what_to_write(void)
{
    CHECK(PARSE(true, "--nonsense") < 0);
    CHECK_HAS(err.text, "--nonsense: unknown option");
    CHECK(PARSE(true, "--alloc=512k") < 0);
    CHECK_HAS(err.text, "as a separate argument");
    CHECK(PARSE(true, "--alloc") < 0);
    CHECK_HAS(err.text, "--alloc needs a value");
    CHECK(PARSE(true, "--alloc", "many") < 0);
    CHECK_HAS(err.text, "bytes such as");
    CHECK(PARSE(true, "-i", "0") < 0);
    CHECK(PARSE(true, "--lock", "5x") < 0);
    CHECK(PARSE(true, "--ratelimit", "cpu") < 0);
    CHECK(PARSE(true, "--ratelimit", "gpu:1") < 0);
    CHECK_HAS(err.text, "should be of: cpu: alloc: lock:");
    CHECK(PARSE(true, "--ratelimit", "cpu:1,") < 0);
    CHECK(PARSE(true, "--cstack", "lbr") < 0);
    CHECK_HAS(err.text, "should be of: vm vmx dwarf fp no");
    CHECK(PARSE(true, "-F", "vtable,magic") < 0);
    CHECK(PARSE(true, "-F", "") < 0);
    CHECK(PARSE(true, "-L", "loud") < 0);
    CHECK(PARSE(true, "--ithread", "") < 0);
    CHECK(PARSE(true, "--filter", "1,2") < 0);
    CHECK_HAS(err.text, "use --ithread and --xthread");
    CHECK(PARSE(true, "-e", "cpu,itimer") < 0);
    CHECK_HAS(err.text, "only one event");
}

static void no_value_smuggles_in_another_option(void)
{
    CHECK(PARSE(true, "--cstack", "vm,file=/etc/passwd") < 0);
    CHECK(PARSE(true, "-e", "cpu,file=/etc/passwd") < 0);
    CHECK(PARSE(true, "--begin", "a\nb") < 0);
    CHECK(PARSE(true, "--signal", "1,file=x") < 0);
}

static void wall_goes_beside_another_event(void)
{
    CHECK_INT(PARSE(true, "-e", "itimer", "-e", "wall"), 0);
    CHECK_STR(text, "event=itimer,wall");
    CHECK_INT(PARSE(true, "-e", "cpu,alloc,lock"), 0);
    CHECK_STR(text, "event=cpu,event=alloc,event=lock");
}

static void what_names_a_file_or_an_action_is_not_permitted(void)
{
    static const char *const good[] = {
        "event=itimer,interval=10000000,alloc=512k,lock=10ms,chunktime=60,chunksize=4m,timeout=962,memlimit=64m",
        "event=cpu/umask=0x1,event=0xd3/,interval=1000,loglevel=INFO", "event=itimer,wall=1ms,signal=16,tlab,threads",
        "", "event=java.lang.String.length"};
    static const char *const bad[] = {"event=itimer,file=/etc/passwd",
                                      "file=/etc/passwd",
                                      "event=itimer,log=/tmp/x",
                                      "server=:8080",
                                      "stop",
                                      "dump",
                                      "event=itimer,jfrsync=profile",
                                      "loop=1s",
                                      "event=cpu/x=1,file=/etc/passwd",
                                      "event=cpu/x=1,file=1/",
                                      "event=cpu/x=1,y=/etc/z/",
                                      "event=cpu/x=1/,file=x",
                                      "fdtransfer=@x",
                                      "clock=tsc",
                                      "alloc=1/file,log=x",
                                      "event=itimer\n,file"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (asprof_options_permit(str_of(good[i]), &err) < 0)
            FAIL_("%s: %s", good[i], err.text);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (asprof_options_permit(str_of(bad[i]), &err) != -EPERM)
            FAIL_("%s is permitted", bad[i]);
}

int main(void)
{
    RUN(options_become_the_agents);
    RUN(what_belongs_to_the_session_is_refused_by_name);
    RUN(nonsense_is_an_error_and_says_what_to_write);
    RUN(no_value_smuggles_in_another_option);
    RUN(wall_goes_beside_another_event);
    RUN(what_names_a_file_or_an_action_is_not_permitted);
    return REPORT();
}
