#include "jvm/probe/command_line.h"

#include <string.h>

#include "base/cleanup.h"

struct str command_line_base_name(struct str path)
{
    const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;
    return slash ? (struct str){slash + 1, (size_t)(path.p + path.n - slash - 1)} : path;
}

static struct str without_suffix(struct str s, struct str suffix)
{
    if (str_has_suffix(s, suffix))
        s.n -= suffix.n;
    return s;
}

bool command_line_takes_argument(struct str option)
{
    static const char *const names[] = {
        "-cp",
        "-classpath",
        "--class-path",
        "-p",
        "--module-path",
        "--upgrade-module-path",
        "--add-modules",
        "--limit-modules",
        "--add-exports",
        "--add-opens",
        "--add-reads",
        "--patch-module",
        "--source",
        "--enable-native-access",
        "-d",
        "--describe-module",
        "--illegal-native-access",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_is(option, names[i]))
            return true;
    return false;
}

bool command_line_is_java(struct str cmdline)
{
    struct str launcher = {0};
    return str_split(&cmdline, '\0', &launcher) && str_is(command_line_base_name(launcher), "java");
}

struct str command_line_java_command(struct str command)
{
    struct str first = {0};
    (void)!str_split(&command, ' ', &first);
    return without_suffix(command_line_base_name(first), STR(".jar"));
}

struct str command_line_jar(struct str cmdline)
{
    struct str arg;
    (void)!str_split(&cmdline, '\0', &arg); /* the launcher */
    while (str_split(&cmdline, '\0', &arg)) {
        if (str_is(arg, "-jar"))
            return str_split(&cmdline, '\0', &arg) ? arg : (struct str){0};
        if (command_line_takes_argument(arg))
            (void)!str_split(&cmdline, '\0', &arg);
        else if (arg.n && arg.p[0] != '-' && arg.p[0] != '@')
            break; /* the main class: what follows is its arguments */
    }
    return (struct str){0};
}

struct str command_line_options(struct str cmdline)
{
    const bool is_java = command_line_is_java(cmdline);
    struct str arg;
    (void)!str_split(&cmdline, '\0', &arg); /* the launcher */
    struct str rest = cmdline;
    const char *end = cmdline.p;
    while (str_split(&rest, '\0', &arg)) {
        if (is_java && (!arg.n || (arg.p[0] != '-' && arg.p[0] != '@') || str_is(arg, "-jar") || str_is(arg, "-m") ||
                        str_is(arg, "--module") || str_has_prefix(arg, STR("--module="))))
            break;
        if (is_java && command_line_takes_argument(arg))
            (void)!str_split(&rest, '\0', &arg);
        end = arg.p + arg.n;
    }
    return (struct str){cmdline.p, (size_t)(end - cmdline.p)};
}

static bool command_line_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool command_line_word(struct str *rest, char *word, size_t size, struct str *ret)
{
    size_t i = 0, n = 0;
    while (i < rest->n && command_line_blank(rest->p[i]))
        i++;
    if (i == rest->n)
        return false;
    char quote = 0;
    for (; i < rest->n && (quote || !command_line_blank(rest->p[i])); i++) {
        char c = rest->p[i];
        if (quote ? c == quote : c == '"' || c == '\'') {
            quote = quote ? 0 : c;
            continue;
        }
        if (n < size)
            word[n++] = c;
    }
    *rest = (struct str){rest->p + i, rest->n - i};
    *ret = (struct str){word, n};
    return true;
}

struct str command_line_main(struct str cmdline)
{
    const struct str none = {0};
    struct str arg, launcher = {0};
    if (!str_split(&cmdline, '\0', &launcher))
        return none;
    launcher = command_line_base_name(launcher);
    if (!str_is(launcher, "java"))
        return launcher;
    while (str_split(&cmdline, '\0', &arg)) {
        if (str_is(arg, "-jar"))
            return str_split(&cmdline, '\0', &arg) ? without_suffix(command_line_base_name(arg), STR(".jar")) : none;
        if (str_is(arg, "-m") || str_is(arg, "--module"))
            return str_split(&cmdline, '\0', &arg) ? command_line_base_name(arg) : none; /* module/class */
        if (str_has_prefix(arg, STR("--module=")))
            return command_line_base_name(
                (struct str){arg.p + sizeof "--module=" - 1, arg.n - (sizeof "--module=" - 1)});
        if (command_line_takes_argument(arg))
            (void)str_split(&cmdline, '\0', &arg);
        else if (arg.n && arg.p[0] != '-' && arg.p[0] != '@') /* what an @file says stays there */
            return str_has_suffix(arg, STR(".java")) ? without_suffix(command_line_base_name(arg), STR(".java")) : arg;
    }
    return none;
}
