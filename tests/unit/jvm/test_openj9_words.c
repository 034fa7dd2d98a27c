/* OpenJ9's words for HotSpot's commands and replies. */
#include "jvm/attach/openj9_words.h"

#include <errno.h>

#include "jvm/attach/attach.h"
#include "test.h"

static const char *command(const char *name, const char *a, const char *b, const char *c)
{
    static char text[1024];
    const char *const args[3] = {a, b, c};
    cleanup_buf struct buf out = BUF_INIT(200);
    struct err err = {0};
    const int code = openj9_command(name, args, &out, &err);
    if (code < 0) {
        snprintf(text, sizeof text, "%d %s", code, err.text);
        return text;
    }
    CHECK_INT(out.p[out.len - 1], 0);
    CHECK_INT(strlen((const char *)out.p), out.len - 1);
    snprintf(text, sizeof text, "%s", (const char *)out.p);
    return text;
}

static const char *reply(const char *name, const char *said)
{
    static char text[1024];
    cleanup_buf struct buf out = BUF_INIT(200);
    openj9_reply(name, str_of(said), &out);
    snprintf(text, sizeof text, "%s", buf_cstr(&out));
    return text;
}

static void commands_are_those_of_openj9(void)
{
    CHECK_STR(command("load", "/x/lib.so", "true", "start,event=cpu"),
              "ATTACH_LOADAGENTPATH(/x/lib.so,start,event=cpu)");
    CHECK_STR(command("load", "name", "false", NULL), "ATTACH_LOADAGENT(name,)");
    CHECK_STR(command("jcmd", "Thread.print -l", NULL, NULL), "ATTACH_DIAGNOSTICS:Thread.print,-l");
    CHECK_STR(command("jcmd", NULL, NULL, NULL), "ATTACH_DIAGNOSTICS:help");
    CHECK_STR(command("dumpheap", "/tmp/x", "-live", NULL), "ATTACH_DIAGNOSTICS:Dump.heap,/tmp/x,-live");
    CHECK_STR(command("threaddump", NULL, NULL, NULL), "ATTACH_DIAGNOSTICS:Thread.print");
    CHECK_STR(command("properties", NULL, NULL, NULL), "ATTACH_GETSYSTEMPROPERTIES");
}

static void what_openj9_cannot_do_is_an_error(void)
{
    CHECK_HAS(command("setflag", "A", "1", NULL), "OpenJ9 does not have the command setflag");
    CHECK_HAS(command("load", "/a,b.so", "true", ""), "contains a comma");
    char options[300];
    memset(options, 'x', sizeof options - 1);
    options[sizeof options - 1] = '\0';
    CHECK_HAS(command("load", "/x.so", "true", options), "too long");
}

static void replies_to_load_are_those_of_hotspot(void)
{
    static const struct {
        const char *said;
        bool loaded;
        int result;
        const char *message;
    } rows[] = {
        {"ATTACH_ACK", true, 0, ""},
        {"ATTACH_ERR AgentInitializationException200", true, 200, ""},
        {"ATTACH_ERR AgentInitializationException-1", true, -1, ""},
        {"ATTACH_ERR AgentInitializationException", false, 0, "AgentInitializationException"},
        {"ATTACH_ERR AgentLoadException /x.so:start", false, 0, "AgentLoadException /x.so:start"},
        {"ATTACH_ERR syntax error", false, 0, "syntax error"},
        {"ATTACH_ACKNOWLEDGED", false, 0, "ATTACH_ACKNOWLEDGED"},
        {"ATTACH_ERR", false, 0, "the JVM gave no reason"},
        {"", false, 0, "the JVM gave no reason"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct jvm_load_reply r;
        jvm_attach_parse_load(str_of(reply("load", rows[i].said)), &r);
        CHECK_INT(r.loaded, rows[i].loaded);
        CHECK_INT(r.result, rows[i].result);
        CHECK_STR(r.message, rows[i].message);
    }
}

static void text_of_other_commands_is_as_printed(void)
{
    CHECK_STR(reply("jcmd", "#x\nopenj9_diagnostics.string_result=a\\nb\\tc\\=d\\\\e\nmore=1\n"), "0\na\nb\tc=d\\e");
    CHECK_STR(reply("jcmd", "openj9_diagnostics.string_result=end\\"), "0\nend\\");
    CHECK_STR(reply("properties", "a=b\n"), "0\na=b\n");
    CHECK_STR(reply("jcmd", "ATTACH_ERR command invalid"), "-1\nATTACH_ERR command invalid");
}

int main(void)
{
    RUN(commands_are_those_of_openj9);
    RUN(what_openj9_cannot_do_is_an_error);
    RUN(replies_to_load_are_those_of_hotspot);
    RUN(text_of_other_commands_is_as_printed);
    return REPORT();
}
