#include "jvm/probe/openj9_options.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

static bool option_cut(struct str s, const char *prefix, struct str *rest)
{
    if (!str_has_prefix(s, str_of(prefix)))
        return false;
    const size_t n = strlen(prefix);
    *rest = (struct str){s.p + n, s.n - n};
    return true;
}

static bool option_is(struct str value, const char *word)
{
    return value.n == strlen(word) && strncasecmp(value.p, word, value.n) == 0;
}

/* OpenJ9 takes letters, digits and underscores behind a letter, and its PID where the value is another. */
static bool option_is_id(struct str id)
{
    if (id.n == 0 || id.n >= OPENJ9_ID_MAX || !isalpha((unsigned char)id.p[0]))
        return false;
    for (size_t i = 1; i < id.n; i++)
        if (!isalnum((unsigned char)id.p[i]) && id.p[i] != '_')
            return false;
    return true;
}

static void option_apply(struct openj9_options *o, struct str option)
{
    struct str value;
    if (!option_cut(option, "-Dcom.ibm.tools.attach.", &option))
        return;
    if (option_cut(option, "enable=", &value) && (option_is(value, "no") || option_is(value, "yes")))
        o->attach_off = option_is(value, "no");
    else if (option_cut(option, "directory=", &value) && value.n > 1 && value.n < sizeof o->directory &&
             value.p[0] == '/')
        snprintf(o->directory, sizeof o->directory, "%.*s", STR_ARG(value));
    else if (option_cut(option, "id=", &value) && option_is_id(value))
        snprintf(o->id, sizeof o->id, "%.*s", STR_ARG(value));
}

static bool options_of_variable(struct openj9_options *o, struct str environment, const char *name)
{
    bool found = false;
    for (struct str var, text; str_split(&environment, '\0', &var);)
        if (option_cut(var, name, &text)) {
            found = true;
            for (struct str word; str_split(&text, ' ', &word);)
                option_apply(o, str_trim(word));
        }
    return found;
}

void openj9_options_read(const struct jvm_view *v, struct openj9_options *ret)
{
    struct openj9_options o = {.directory = "/tmp/.com_ibm_tools_attach"};
    const struct str environment = buf_slice(&v->environ);
    struct str args = buf_slice(&v->cmdline), arg;
    snprintf(o.id, sizeof o.id, "%d", (int)v->ns_pid);
    options_of_variable(&o, environment, "JAVA_TOOL_OPTIONS=");
    if (!options_of_variable(&o, environment, "OPENJ9_JAVA_OPTIONS="))
        options_of_variable(&o, environment, "IBM_JAVA_OPTIONS=");
    while (str_split(&args, '\0', &arg))
        option_apply(&o, arg);
    options_of_variable(&o, environment, "_JAVA_OPTIONS=");
    *ret = o;
}
