#include "jvm/attach/openj9_words.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

#define ACK     "ATTACH_ACK"
#define FAILURE "ATTACH_ERR"
#define INIT    "AgentInitializationException"
#define RESULT  "openj9_diagnostics.string_result="

/* Commands whose arguments follow a comma each. */
static const struct {
    const char *command, *theirs;
} words[] = {
    {"jcmd", "ATTACH_DIAGNOSTICS:"},
    {"threaddump", "ATTACH_DIAGNOSTICS:Thread.print"},
    {"dumpheap", "ATTACH_DIAGNOSTICS:Dump.heap"},
    {"inspectheap", "ATTACH_DIAGNOSTICS:GC.class_histogram"},
    {"datadump", "ATTACH_DIAGNOSTICS:Dump.java"},
    {"properties", "ATTACH_GETSYSTEMPROPERTIES"},
    {"agentProperties", "ATTACH_GETAGENTPROPERTIES"},
};

static bool is_load(const char *command)
{
    return strcmp(command, "load") == 0;
}

static int openj9_command_end(struct buf *out, struct err *err)
{
    buf_byte(out, '\0');
    return buf_ok(out) ? 0 : err_set(err, -E2BIG, "the command is too long for the JVM");
}

/* The JVM takes what stands between the first '(' and the first ',' for the path. */
static int openj9_load_command(const char *const args[3], struct buf *out, struct err *err)
{
    const char *library = args[0] ? args[0] : "", *options = args[2] ? args[2] : "";
    const bool is_path = args[1] && strcmp(args[1], "true") == 0;
    if (strchr(library, ','))
        return err_set(err, -EINVAL, "OpenJ9 cannot load %s: its path contains a comma", library);
    buf_printf(out, "ATTACH_LOADAGENT%s(%s,%s)", is_path ? "PATH" : "", library, options);
    return openj9_command_end(out, err);
}

/* "Thread.print -l" is one argument of HotSpot and two of OpenJ9. */
static void put_arguments(const char *const args[3], const char *separator, struct buf *out)
{
    for (int i = 0; i < 3; i++) {
        struct str rest = str_of(args[i] ? args[i] : "");
        for (struct str word; str_split(&rest, ' ', &word);) {
            if (!word.n)
                continue;
            buf_printf(out, "%s%.*s", separator, STR_ARG(word));
            separator = ",";
        }
    }
}

int openj9_command(const char *command, const char *const args[3], struct buf *out, struct err *err)
{
    if (is_load(command))
        return openj9_load_command(args, out, err);
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(command, words[i].command) != 0)
            continue;
        buf_puts(out, words[i].theirs);
        put_arguments(args, i == 0 ? "" : ",", out);
        if (i == 0 && !(args[0] && *args[0]))
            buf_puts(out, "help");
        return openj9_command_end(out, err);
    }
    return err_set(err, -ENOTSUP, "OpenJ9 does not have the command %s", command);
}

static void openj9_load_reply(struct str reply, struct buf *out)
{
    int64_t code;
    struct str first, rest;
    if (str_is(reply, ACK)) {
        buf_puts(out, "0\nreturn code: 0\n");
        return;
    }
    if (str_has_prefix(reply, STR(FAILURE)))
        reply = str_trim((struct str){reply.p + strlen(FAILURE), reply.n - strlen(FAILURE)});
    if (str_has_prefix(reply, STR(INIT))) {
        rest = (struct str){reply.p + strlen(INIT), reply.n - strlen(INIT)};
        if (str_to_i64(str_trim(rest), &code)) {
            buf_printf(out, "0\nreturn code: %lld\n", (long long)code);
            return;
        }
    }
    rest = reply;
    if (!str_split(&rest, '\n', &first))
        first = reply;
    buf_printf(out, "-1\n%.*s\n", STR_ARG(first));
}

/* A value of java.util.Properties, up to the end of its line. */
static void put_property(struct str value, struct buf *out)
{
    for (size_t i = 0; i < value.n && value.p[i] != '\n'; i++) {
        char c = value.p[i];
        if (c == '\\' && i + 1 < value.n) {
            c = value.p[++i];
            c = (char)(c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'f' ? '\f' : c);
        }
        buf_byte(out, (uint8_t)c);
    }
}

void openj9_reply(const char *command, struct str reply, struct buf *out)
{
    if (is_load(command)) {
        openj9_load_reply(reply, out);
        return;
    }
    const char *result = reply.n ? memmem(reply.p, reply.n, RESULT, strlen(RESULT)) : NULL;
    buf_puts(out, str_has_prefix(reply, STR(FAILURE)) ? "-1\n" : "0\n");
    if (result)
        put_property((struct str){result + strlen(RESULT), reply.n - (size_t)(result + strlen(RESULT) - reply.p)}, out);
    else
        buf_str(out, reply);
}
