#include "jvm/attach/asprof_options.h"

#include <errno.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/str.h"

#define OUTPUT_IS_OURS   "smolder reads the recording itself"
#define DURATION_IS_OURS "the session runs as long as the target; `interval` is the collection interval"
#define CHUNKS_ARE_OURS  "the duration of a chunk is `interval`"
#define NOT_IN_JFR       "it only applies to text and flame graph reports"

static const struct asprof_option options[] = {
    {"-e", "--event", ASPROF_EVENT, ASPROF_PROFILING, "event"},
    {"-i", "--interval", ASPROF_INTERVAL, ASPROF_PROFILING, "interval"},
    {"-j", "--jstackdepth", ASPROF_COUNT, ASPROF_PROFILING, "jstackdepth"},
    {"-t", "--threads", ASPROF_NONE, ASPROF_PROFILING, "threads"},
    {"-L", "--log", ASPROF_WORD, ASPROF_REPORT, "loglevel", .words = "trace debug info warn error none"},
    {"-F", "--features", ASPROF_WORDS, ASPROF_PROFILING, "features", .separator = '+',
     .words = "stats jnienv agct mixed vtable comptask pcaddr"},
    {NULL, "--filter", ASPROF_NONE, ASPROF_PROFILING, "filter"},
    {NULL, "--ithread", ASPROF_TEXT, ASPROF_PROFILING, "ithread"},
    {NULL, "--xthread", ASPROF_TEXT, ASPROF_PROFILING, "xthread"},
    {NULL, "--alloc", ASPROF_BYTES, ASPROF_PROFILING, "alloc"},
    {NULL, "--tlab", ASPROF_NONE, ASPROF_PROFILING, "tlab"},
    {NULL, "--live", ASPROF_NONE, ASPROF_PROFILING, "live"},
    {NULL, "--nativemem", ASPROF_BYTES, ASPROF_PROFILING, "nativemem"},
    {NULL, "--nofree", ASPROF_NONE, ASPROF_PROFILING, "nofree"},
    {NULL, "--trace", ASPROF_TEXT, ASPROF_PROFILING, "trace"},
    {NULL, "--lock", ASPROF_NANOS, ASPROF_PROFILING, "lock"},
    {NULL, "--nativelock", ASPROF_NANOS, ASPROF_PROFILING, "nativelock"},
    {NULL, "--wall", ASPROF_NANOS, ASPROF_PROFILING, "wall"},
    {NULL, "--nobatch", ASPROF_NONE, ASPROF_PROFILING, "nobatch"},
    {NULL, "--proc", ASPROF_SECONDS, ASPROF_PROFILING, "proc"},
    {NULL, "--all", ASPROF_NONE, ASPROF_PROFILING, "all"},
    {NULL, "--all-user", ASPROF_NONE, ASPROF_PROFILING, "alluser"},
    {NULL, "--sched", ASPROF_NONE, ASPROF_PROFILING, "sched"},
    {NULL, "--record-cpu", ASPROF_NONE, ASPROF_PROFILING, "record-cpu"},
    {NULL, "--target-cpu", ASPROF_TEXT, ASPROF_PROFILING, "target-cpu"},
    {NULL, "--cstack", ASPROF_WORD, ASPROF_PROFILING, "cstack", .words = "vm vmx dwarf fp no"},
    {NULL, "--signal", ASPROF_COUNT, ASPROF_PROFILING, "signal"},
    {NULL, "--begin", ASPROF_TEXT, ASPROF_PROFILING, "begin"},
    {NULL, "--end", ASPROF_TEXT, ASPROF_PROFILING, "end"},
    {NULL, "--ttsp", ASPROF_NONE, ASPROF_PROFILING, "ttsp"},
    {NULL, "--nostop", ASPROF_NONE, ASPROF_PROFILING, "nostop"},
    {NULL, "--memlimit", ASPROF_BYTES, ASPROF_PROFILING, "memlimit"},
    {NULL, "--ratelimit", ASPROF_WORDS, ASPROF_PROFILING, "ratelimit", .separator = ';',
     .words = "cpu: alloc: lock: wall: nativemem: nativelock: trace: span:"},

    {NULL, "--clock", ASPROF_WORD, ASPROF_PROFILING, "clock", .words = "tsc monotonic",
     .refused = "the session requires the monotonic clock"},
    {NULL, "--timeout", ASPROF_TIMEOUT, ASPROF_PROFILING, "timeout", .refused = DURATION_IS_OURS},
    {NULL, "--loop", ASPROF_TIMEOUT, ASPROF_PROFILING, "loop", .refused = DURATION_IS_OURS},
    {NULL, "--chunksize", ASPROF_BYTES, ASPROF_PROFILING, "chunksize", .refused = CHUNKS_ARE_OURS},
    {NULL, "--chunktime", ASPROF_SECONDS, ASPROF_PROFILING, "chunktime", .refused = CHUNKS_ARE_OURS},
    {NULL, "--jfropts", ASPROF_LIST, ASPROF_PROFILING, "jfropts", .separator = '+', .refused = OUTPUT_IS_OURS},
    {NULL, "--jfrsync", ASPROF_LIST, ASPROF_PROFILING, "jfrsync", .separator = '+', .refused = OUTPUT_IS_OURS},

    {"-s", "--simple", ASPROF_NONE, ASPROF_REPORT, "simple", .refused = NOT_IN_JFR},
    {"-n", "--norm", ASPROF_NONE, ASPROF_REPORT, "norm", .refused = NOT_IN_JFR},
    {"-g", "--sig", ASPROF_NONE, ASPROF_REPORT, "sig", .refused = NOT_IN_JFR},
    {"-a", "--ann", ASPROF_NONE, ASPROF_REPORT, "ann", .refused = NOT_IN_JFR},
    {"-l", "--lib", ASPROF_NONE, ASPROF_REPORT, "lib", .refused = NOT_IN_JFR},
    {NULL, "--dot", ASPROF_NONE, ASPROF_REPORT, "dot", .refused = NOT_IN_JFR},
    {"-I", "--include", ASPROF_TEXT, ASPROF_REPORT, "include", .refused = "use the attribute `include`"},
    {"-X", "--exclude", ASPROF_TEXT, ASPROF_REPORT, "exclude", .refused = "use the attribute `exclude`"},
    {NULL, "--title", ASPROF_HTML, ASPROF_REPORT, "title", .refused = NOT_IN_JFR},
    {NULL, "--minwidth", ASPROF_TEXT, ASPROF_REPORT, "minwidth", .refused = NOT_IN_JFR},
    /* Of the time when flame graphs were SVG; the agent says that it ignores them. */
    {NULL, "--width", ASPROF_TEXT, ASPROF_REPORT, "width", .refused = NOT_IN_JFR},
    {NULL, "--height", ASPROF_TEXT, ASPROF_REPORT, "height", .refused = NOT_IN_JFR},
    {NULL, "--reverse", ASPROF_NONE, ASPROF_REPORT, "reverse", .refused = NOT_IN_JFR},
    {NULL, "--inverted", ASPROF_NONE, ASPROF_REPORT, "inverted", .refused = NOT_IN_JFR},
    {NULL, "--samples", ASPROF_NONE, ASPROF_REPORT, "samples", .refused = NOT_IN_JFR},
    {NULL, "--total", ASPROF_NONE, ASPROF_REPORT, "total", .refused = NOT_IN_JFR},

    {"-d", NULL, ASPROF_SECONDS, ASPROF_LAUNCHER, NULL, .refused = DURATION_IS_OURS},
    {"-f", NULL, ASPROF_TEXT, ASPROF_LAUNCHER, NULL, .refused = OUTPUT_IS_OURS},
    {"-o", NULL, ASPROF_TEXT, ASPROF_LAUNCHER, NULL, .refused = OUTPUT_IS_OURS},
    {NULL, "--libpath", ASPROF_TEXT, ASPROF_LAUNCHER, NULL, .refused = "use the attribute `dist`"},
    /* A server with the right to use perf_event_open(2) serves the JVM until the session ends. The request is a whole
     * perf_event_attr and the name of a probe, so any code in the JVM can have it open what only root may: breakpoints
     * and probes in the kernel, raw hardware events. It hands out /proc/kallsyms, and kernel stacks have the addresses
     * of the kernel. For a JVM in a container the socket must be in its network namespace (CAP_SYS_ADMIN), and threads
     * are named by its PID namespace, which the server therefore enters. Nothing of that can be had with the rights of
     * the target, with which everything else is done. */
    {NULL, "--fdtransfer", ASPROF_NONE, ASPROF_LAUNCHER, NULL,
     .refused = "it lends perf events of root to the JVM, which decides what is opened"},
    {"-v", "--version", ASPROF_NONE, ASPROF_LAUNCHER, NULL, .refused = "it only prints information"},
    {"-h", "--help", ASPROF_NONE, ASPROF_LAUNCHER, NULL, .refused = "it only prints information"},
};

static const char *const actions[] = {"start", "resume", "stop", "dump",    "status",  "metrics", "list",
                                      "load",  "jcmd",   "jps",  "meminfo", "collect", "version", "check"};

/* Events that are options of their own and go beside a CPU event. */
static const char *const side_events[] = {"alloc", "lock", "nativemem", "nativelock"};

static bool asprof_options_one_of(struct str s, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(s, names[i]))
            return true;
    return false;
}

const struct asprof_option *asprof_option_at(size_t i)
{
    return i < ARRAY_LEN(options) ? &options[i] : NULL;
}

const struct asprof_option *asprof_option_find(const char *arg)
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        const struct asprof_option *o = &options[i];
        if ((o->short_name && strcmp(o->short_name, arg) == 0) || (o->long_name && strcmp(o->long_name, arg) == 0))
            return o;
    }
    return NULL;
}

static const char *asprof_options_name_of(const struct asprof_option *o)
{
    return o->long_name ? o->long_name : o->short_name;
}

static bool asprof_options_digit(char c, bool hex)
{
    return (c >= '0' && c <= '9') || (hex && ((c | 32) >= 'a' && (c | 32) <= 'f'));
}

/* Length of the number at the start of `s`; 0 when there is none. */
static size_t asprof_options_parse_number(struct str s, bool *zero)
{
    bool hex = s.n > 2 && s.p[0] == '0' && (s.p[1] | 32) == 'x';
    size_t start = hex ? 2 : 0, i = start;
    *zero = true;
    for (; i < s.n && asprof_options_digit(s.p[i], hex); i++)
        *zero = *zero && s.p[i] == '0';
    return i > start && i - start <= 18 ? i : 0;
}

static bool with_unit(struct str s, const char *units, bool zero_is_fine)
{
    bool zero;
    size_t n = asprof_options_parse_number(s, &zero);
    if (n == 0 || (zero && !zero_is_fine))
        return false;
    if (n == s.n)
        return true;
    if (!strchr(units, s.p[n] | 32))
        return false;
    for (size_t i = n; i < s.n; i++)
        if ((s.p[i] | 32) < 'a' || (s.p[i] | 32) > 'z')
            return false;
    return true;
}

static bool clock_time(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (i % 3 == 2 ? s.p[i] != ':' : !asprof_options_digit(s.p[i], false))
            return false;
    return s.n == strlen("hh:mm:ss") || s.n == strlen("hh:mm");
}

static bool asprof_options_parse_count(struct str s)
{
    bool zero;
    size_t n = asprof_options_parse_number(s, &zero);
    if (n == 0 || zero || n == s.n)
        return n > 0 && !zero;
    struct str second = {s.p + n + 1, s.n - n - 1};
    return s.p[n] == '/' && asprof_options_parse_number(second, &zero) == second.n && second.n > 0;
}

/* Is it one of the words, or "word:N" of one that ends with ':'? */
static bool asprof_options_word(struct str v, const char *words)
{
    struct str rest = str_of(words), word;
    bool zero;
    while (str_split(&rest, ' ', &word)) {
        if (str_eq(v, word) && word.p[word.n - 1] != ':')
            return true;
        const struct str number = {v.p + word.n, v.n - word.n};
        if (word.p[word.n - 1] == ':' && str_has_prefix(v, word) && number.n &&
            asprof_options_parse_number(number, &zero) == number.n)
            return true;
    }
    return false;
}

static bool asprof_options_words(struct str v, const char *words)
{
    const char *end = v.p + v.n;
    if (v.n == 0)
        return false;
    for (const char *at = v.p, *next; at <= end; at = next + 1) {
        for (next = at; next < end && *next != ',' && *next != '+' && *next != ';'; next++)
            ;
        if (!asprof_options_word((struct str){at, (size_t)(next - at)}, words))
            return false;
    }
    return true;
}

/* Levels of the log are spelled either way. */
static bool asprof_options_one_word(struct str v, const char *words)
{
    char lower[32];
    if (v.n == 0 || v.n >= sizeof lower)
        return false;
    for (size_t i = 0; i < v.n; i++)
        lower[i] = v.p[i] >= 'A' && v.p[i] <= 'Z' ? (char)(v.p[i] | 32) : v.p[i];
    return asprof_options_word((struct str){lower, v.n}, words);
}

/* NULL when the value fits, else what would. */
static const char *asprof_options_misfit(const struct asprof_option *o, struct str v)
{
    switch (o->value) {
    case ASPROF_COUNT:
        return asprof_options_parse_count(v) ? NULL : "a positive whole number";
    case ASPROF_BYTES:
        return with_unit(v, "bkmg", true) ? NULL : "bytes such as 512k or 2m";
    case ASPROF_NANOS:
        return with_unit(v, "nums", true) ? NULL : "a time such as 10ms, 50us or nanoseconds";
    case ASPROF_SECONDS:
        return with_unit(v, "smhd", true) ? NULL : "seconds or a time such as 30s or 5m";
    case ASPROF_TIMEOUT:
        return with_unit(v, "smhd", true) || clock_time(v) ? NULL : "seconds, a time such as 5m, or hh:mm:ss";
    case ASPROF_INTERVAL:
        return with_unit(v, "numsbkg", false) ? NULL : "a positive number or time such as 10ms";
    case ASPROF_WORD:
        return asprof_options_one_word(v, o->words) ? NULL : o->words;
    case ASPROF_WORDS:
        return asprof_options_words(v, o->words) ? NULL : o->words;
    case ASPROF_TEXT:
        return v.n && !memchr(v.p, ',', v.n) ? NULL : "a text without a comma";
    default:
        return v.n ? NULL : "a value";
    }
}

static void append_replacing(struct buf *out, struct str v, char separator)
{
    for (size_t i = 0; i < v.n; i++)
        buf_byte(out, v.p[i] == ',' ? (uint8_t)separator : (uint8_t)v.p[i]);
}

static void append_html(struct buf *out, struct str v)
{
    for (size_t i = 0; i < v.n; i++)
        switch (v.p[i]) {
        case '&':
            buf_puts(out, "&amp;");
            break;
        case '<':
            buf_puts(out, "&lt;");
            break;
        case '>':
            buf_puts(out, "&gt;");
            break;
        case ',':
            buf_puts(out, "&#44;");
            break;
        default:
            buf_byte(out, (uint8_t)v.p[i]);
        }
}

static int append_event(struct str list, unsigned *events, struct buf *out, struct err *err)
{
    if (list.n && list.p[list.n - 1] == '/') {
        buf_puts(out, ",event=");
        append_replacing(out, list, ':');
        (*events)++;
    } else {
        for (struct str event; str_split(&list, ',', &event);) {
            if (event.n == 0 || memchr(event.p, '=', event.n))
                return err_set(err, -EINVAL, "--event: \"%.*s\" is not an event", STR_ARG(event));
            bool side = asprof_options_one_of(event, side_events, ARRAY_LEN(side_events));
            /* Beside another event, wall clock sampling is an engine of its own. */
            bool second_wall = str_is(event, "wall") && *events > 0;
            *events += !side && !second_wall;
            buf_puts(out, second_wall ? "," : ",event=");
            buf_str(out, event);
        }
    }
    if (*events > 1)
        return err_set(err, -EINVAL, "--event: only one event besides alloc, lock, wall, nativemem and nativelock");
    return 0;
}

int asprof_option_append(const struct asprof_option *o, const char *value, unsigned *events, struct buf *out,
                         struct err *err)
{
    struct str v = str_of(value);
    if (o->value == ASPROF_NONE) {
        buf_printf(out, ",%s", o->agent);
        return 0;
    }
    const char *wanted = asprof_options_misfit(o, v);
    /* Control characters would end up in the JVM's own listing of its agents. */
    for (size_t i = 0; !wanted && i < v.n; i++)
        if ((unsigned char)v.p[i] < ' ' || v.p[i] == 0x7f)
            wanted = "printable text";
    if (wanted)
        return err_set(err, -EINVAL, "%s: \"%s\" should be %s%s", asprof_options_name_of(o), value ? value : "",
                       wanted == o->words ? "of: " : "", wanted);
    if (o->value == ASPROF_EVENT)
        return append_event(v, events, out, err);
    buf_printf(out, ",%s=", o->agent);
    if (o->value == ASPROF_HTML)
        append_html(out, v);
    else
        append_replacing(out, v, o->separator);
    return 0;
}

static int asprof_options_refuse(const char *arg, const char *previous, bool from_config, struct err *err)
{
    if (asprof_options_one_of(str_of(arg), actions, ARRAY_LEN(actions)))
        return err_set(err, -EINVAL, "%s: actions are not allowed%s", arg,
                       from_config ? ": the session starts and stops the profiler itself" : "");
    if (previous && strcmp(previous, "--filter") == 0)
        return err_set(
            err, -EINVAL,
            "%s: --filter takes no thread IDs since async-profiler 4.6: use --ithread and --xthread, patterns "
            "of thread names",
            arg);
    if (asprof_options_digit(arg[0], false))
        return err_set(err, -EINVAL, "%s: process IDs are not allowed%s", arg, from_config ? ": use `targets`" : "");
    const char *equals = strchr(arg, '=');
    if (equals && arg[0] == '-')
        return err_set(err, -EINVAL, "%s: pass the value as a separate argument: \"%.*s\", \"%s\"", arg,
                       (int)(equals - arg), arg, equals + 1);
    if (arg[0] != '-' && previous)
        return err_set(err, -EINVAL, "%s: unknown argument after %s, which takes no value", arg, previous);
    return err_set(err, -EINVAL, "%s: unknown option", arg);
}

int asprof_options_parse(const char *const *args, size_t n, bool from_config, struct buf *out, struct err *err)
{
    unsigned events = 0;
    size_t start = out->len;
    const char *previous = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct asprof_option *o = asprof_option_find(args[i]);
        if (!o)
            return asprof_options_refuse(args[i], previous, from_config, err);
        if (from_config && o->refused)
            return err_set(err, -EINVAL, "%s is not allowed here: %s", args[i], o->refused);
        if (o->target == ASPROF_LAUNCHER)
            return err_set(err, -EINVAL, "%s is for the launcher, not for the agent", args[i]);
        if (o->value != ASPROF_NONE && i + 1 == n)
            return err_set(err, -EINVAL, "%s needs a value", args[i]);
        previous = args[i];
        int code = asprof_option_append(o, o->value == ASPROF_NONE ? NULL : args[++i], &events, out, err);
        if (code < 0)
            return code;
    }
    /* The first one came with a comma, too. */
    if (start == 0 && out->len > 0) {
        memmove(out->p, out->p + 1, out->len);
        out->len--;
    }
    if (!buf_ok(out))
        return err_set(err, -EINVAL, "the options are too long");
    return 0;
}

/* ---- options of an untrusted caller ---- */

static bool asprof_options_is_permitted(struct str name)
{
    static const char *const session[] = {"chunktime", "chunksize", "timeout", "loglevel"};
    if (asprof_options_one_of(name, session, ARRAY_LEN(session)))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        if (options[i].target == ASPROF_PROFILING && !options[i].refused && str_is(name, options[i].agent))
            return true;
    return false;
}

/* A part of a PMU event, "event=cpu/umask=0x1,config=0xd3/", which has commas of its own: a number, so not a path. */
static bool asprof_options_is_pmu_part(struct str name, struct str value)
{
    static const char *const never[] = {"file", "log", "server", "fdtransfer", "jfrsync"};
    bool zero;
    if (value.n && value.p[value.n - 1] == '/')
        value.n--;
    return !asprof_options_one_of(name, never, ARRAY_LEN(never)) &&
           asprof_options_parse_number(value, &zero) == value.n;
}

int asprof_options_permit(struct str text, struct err *err)
{
    bool in_pmu = false;
    for (struct str item; str_split(&text, ',', &item);) {
        const char *equals = item.n ? memchr(item.p, '=', item.n) : NULL;
        const struct str name = {item.p, equals ? (size_t)(equals - item.p) : item.n};
        const struct str value = {equals ? equals + 1 : NULL, equals ? item.n - name.n - 1 : 0};
        if (in_pmu ? !asprof_options_is_pmu_part(name, value) : item.n && !asprof_options_is_permitted(name))
            return err_set(err, -EPERM, "profiler option %.*s is not permitted", (int)(name.n > 40 ? 40 : name.n),
                           name.p);
        for (size_t i = 0; i < value.n; i++)
            in_pmu ^= value.p[i] == '/' && (in_pmu || str_is(name, "event"));
    }
    return 0;
}
