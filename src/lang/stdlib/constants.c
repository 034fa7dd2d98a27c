#include <unistd.h>

#include "lang/stdlib/rows.h"

enum { HOST_NAME_SIZE = 256 };

/* As Go names processors. */
static const char *constants_architecture(void)
{
#if defined(__x86_64__)
    return "amd64";
#elif defined(__aarch64__)
    return "arm64";
#else
    return "unknown";
#endif
}

static int constants_make(const char *text, struct value **ret)
{
    *ret = value_string(str_of(text));
    return 0;
}

static int constants_arch(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)args, (void)n, (void)bad_arg, (void)err;
    return constants_make(constants_architecture(), ret);
}

static int constants_hostname(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)args, (void)n, (void)bad_arg, (void)err;
    /* Read once: a host that changes its name while we run keeps its old one in labels, as in the reference. */
    static char host[HOST_NAME_SIZE];
    if (!host[0] && gethostname(host, sizeof host - 1) < 0)
        host[0] = '\0';
    return constants_make(host, ret);
}

static int constants_os(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)args, (void)n, (void)bad_arg, (void)err;
    return constants_make("linux", ret);
}

static int constants_version(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)args, (void)n, (void)bad_arg, (void)err;
    return constants_make("v" SMOLDER_VERSION, ret);
}

const struct stdlib_function stdlib_constants[] = {
    {{"constants.arch", 0, false, constants_arch},
     .constant = true,
     .result = "string",
     .help = "The processor architecture: amd64 or arm64.",
     .examples = {{"constants.arch != \"\"", "true"}}},
    {{"constants.hostname", 0, false, constants_hostname},
     .constant = true,
     .result = "string",
     .help = "The host name, read once at startup.",
     .examples = {{"constants.hostname != \"\"", "true"}}},
    {{"constants.os", 0, false, constants_os},
     .constant = true,
     .result = "string",
     .help = "The operating system.",
     .examples = {{"constants.os", "\"linux\""}}},
    {{"constants.version", 0, false, constants_version},
     .constant = true,
     .result = "string",
     .help = "The version of smolder, with the prefix v.",
     .examples = {{"string.trim_prefix(constants.version, \"v\") != constants.version", "true"}}},
    {{NULL}},
};
