#include "pprof/normalise.h"

#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"

/* A pattern, from the left:
 *     ^ *     first: only where the name begins; only where something stands before
 *     <       first: only where a simple name begins: at the front, or behind `/`
 *     #  %    one or more digits; lower-case hexadecimal digits
 *     @       one or more ASCII letters and digits
 *     &       one or more of those and `_`, which `&` in the replacement stands for
 *     {8} {8,}  behind one of these: exactly, at least so many of them
 *     [abc]   one of these;  (abc)  this or nothing;  \c  c itself
 *     ~       all of the rest, at least one byte, where what stands before it in the pattern does not come again
 *     ;       nothing follows;  >  nothing follows, or `$` or `_`
 * There is no going back: every part takes all it can. */
struct rule {
    const char *pattern, *to;
};

#define DELETED "( \\(deleted\\));"
#define TMP     "^(.)(/tmp/)"

static const struct rule reference[] = {
    {"^jdk/internal/reflect/GeneratedMethodAccessor#;", "jdk/internal/reflect/GeneratedMethodAccessor_"},
    {"*$$Lambda#;", "$$Lambda_"},
    {"*$$Lambda($)(#)[./](0x)%;", "$$Lambda_"},
    {"*$$EnhancerBySpringCGLIB$$~", "$$EnhancerBySpringCGLIB$$_"},
    {TMP "libzstd-jni-#.#.#-#.so" DELETED, "libzstd-jni-_.so"},
    {TMP "(lib)amazonCorrettoCryptoProvider(NativeLibraries.)%{16}(/libcrypto)(/libamazonCorrettoCryptoProvider)"
         ".so" DELETED,
     "libamazonCorrettoCryptoProvider_.so"},
    {TMP "libasyncProfiler(-linux-arm64)(-linux-musl-x64)(-linux-x64)(-macos)-17b9a1d8156277a98ccc871afa9a8f69215f92"
         ".so" DELETED,
     "libasyncProfiler-_.so"},
};

/* Beyond the reference. */
static const struct rule symbols[] = {
    /* HotSpot: reflection, lambdas and other hidden classes (`/`, `+` or `.` and an address; a hash in the JDK's
     * recordings; a number before JDK 15), and java.lang.reflect.Proxy. */
    {"/reflect/GeneratedMethodAccessor#;", "/reflect/GeneratedMethodAccessor_"},
    {"/reflect/GeneratedConstructorAccessor#;", "/reflect/GeneratedConstructorAccessor_"},
    {"/reflect/GeneratedSerializationConstructorAccessor#;", "/reflect/GeneratedSerializationConstructorAccessor_"},
    {"*$$Lambda($)(#)[./+](0x)%(/%);", "$$Lambda_"},
    {"*/0x%(/%);", "_"},
    {"*+0x%(/%);", "_"},
    {"*.0x%(/%);", "_"},
    {"*/#;", "_"}, /* `*` is for these alone: see normalise_spell_as_others() */
    {"^jdk/proxy#/$Proxy#", "jdk/proxy_/$Proxy_"},
    {"<$Proxy#", "$Proxy_"},
    {"^jdk/jfr/internal/handlers/EventHandler#_#-#;", "jdk/jfr/internal/handlers/EventHandler_"},
    {"^jdk/nashorn/internal/scripts/Script$#", "jdk/nashorn/internal/scripts/Script$_"},
    {"$Recompilation$#$#", "$Recompilation$_$_"},
    /* CGLIB: Spring's, Guice's, Mockito's and its own; methods too. */
    {"$$SpringCGLIB$$#", "$$SpringCGLIB$$_"},
    {"$$FastClass$$#", "$$FastClass$$_"},
    {"$$FastClassBySpringCGLIB$$%", "$$FastClassBySpringCGLIB$$_"},
    {"$$KeyFactoryBySpringCGLIB$$%", "$$KeyFactoryBySpringCGLIB$$_"},
    {"$$EnhancerByCGLIB$$%", "$$EnhancerByCGLIB$$_"},
    {"$$FastClassByCGLIB$$%", "$$FastClassByCGLIB$$_"},
    {"$$KeyFactoryByCGLIB$$%", "$$KeyFactoryByCGLIB$$_"},
    {"$$BeanMapByCGLIB$$%", "$$BeanMapByCGLIB$$_"},
    {"$$BulkBeanByCGLIB$$%", "$$BulkBeanByCGLIB$$_"},
    {"$$EnhancerByGuice$$%", "$$EnhancerByGuice$$_"},
    {"$$FastClassByGuice$$%", "$$FastClassByGuice$$_"},
    {"$$EnhancerByMockitoWithCGLIB$$%", "$$EnhancerByMockitoWithCGLIB$$_"},
    {"^CGLIB$&$#;", "CGLIB$&$_"},
    /* Byte Buddy, and who names classes with it; Javassist; Jackson's accessors. */
    {"$ByteBuddy$@", "$ByteBuddy$_"},
    {"$auxiliary$@{8}", "$auxiliary$_"},
    {"$HibernateProxy$@", "$HibernateProxy$_"},
    {"$HibernateBasicProxy$@", "$HibernateBasicProxy$_"},
    {"$HibernateInstantiator$@", "$HibernateInstantiator$_"},
    {"$HibernateAccessOptimizer$@", "$HibernateAccessOptimizer$_"},
    {"$MockitoMock$@", "$MockitoMock$_"},
    {"_$$_jvst%_%", "_$$_jvst_"},
    {"_$$_javassist_#", "_$$_javassist_"},
    {"$Access4JacksonDeserializer%", "$Access4JacksonDeserializer_"},
    {"$Access4JacksonSerializer%", "$Access4JacksonSerializer_"},
    {"$$$EasyMock$#", "$$$EasyMock$_"},
    {"$$$view#", "$$$view_"},
    /* Groovy and Gradle scripts. */
    {"<Script#>", "Script_"},
    {"<script#{10,}>", "script_"},
    {"<Script_%{20,}", "Script_"},
    {"<build_@{20,}", "build_"},
    {"<settings_@{20,}", "settings_"},
    {"<init_@{20,}", "init_"},
    /* Scala: anonymous classes and functions, the shell's lines, Spark's generated stages. */
    {"$anonfun$&$#", "$anonfun$&$_"},
    {"$anonfun$#", "$anonfun$_"},
    {"$anon$#", "$anon$_"},
    {"<$line#/", "$line_/"},
    {"$GeneratedIteratorForCodegenStage#", "$GeneratedIteratorForCodegenStage_"},
    /* Clojure's evaluations and generated symbols; names with a date and a number (Trino, Presto). */
    {"$eval#>", "$eval_"},
    {"__#{3,}>", "__"},
    {"_#{8}_#{6}_#;", "_"},
    /* Native code unpacked under a name of its own. */
    {TMP "libasyncProfiler(-linux-arm64)(-linux-musl-x64)(-linux-x64)(-macos)-%{16,}.so" DELETED,
     "libasyncProfiler-_.so"},
    {"^jna#.tmp" DELETED, "jna_.tmp"},
    {"^jffi#.so" DELETED, "jffi_.so"},
    {"^librocksdbjni#.so" DELETED, "librocksdbjni_.so"},
    {"^liblz4-java-#.so" DELETED, "liblz4-java-_.so"},
    {"_64#{10,}.so", "_64_.so"},
    {"-tmp#{6,}.so", "-tmp_.so"},
    {".so\\;%{8} \\(deleted\\);", ".so"},
    {"-%{8}-%{4}-%{4}-%{4}-%{12}", "-_"},
};

static const struct rule threads[] = {
    {"^pool-#-thread-#;", "pool-_-thread-_"},
    {"^ForkJoinPool-#-worker-#;", "ForkJoinPool-_-worker-_"},
    {"^HikariPool-#", "HikariPool-_"},
    {"^XNIO-# ", "XNIO-_ "},
    {"^qtp#-#", "qtp_-_"},
    {"^\\[tid=#\\];", "[tid=_]"},
    {"^RMI TCP Connection\\(#\\)~", "RMI TCP Connection(_)"},
    {"\\@%{6,}", "@_"},
    {"-#-#;", "-_-_"},
    {"\\(#\\);", "(_)"},
    {"#\\);", "_)"},
    {"#\\];", "_]"},
    {"#;", "_"},
};

static const struct rule_set {
    const struct rule *rules;
    size_t count;
    enum name_rules basis; /* these apply as well, first; itself = none */
} sets[] = {
    [NORMALISE_REFERENCE] = {reference, ARRAY_LEN(reference), NORMALISE_REFERENCE},
    [NORMALISE_SYMBOLS] = {symbols, ARRAY_LEN(symbols), NORMALISE_REFERENCE},
    [NORMALISE_THREADS] = {threads, ARRAY_LEN(threads), NORMALISE_THREADS},
};

struct match {
    struct str name;
    size_t from, at;     /* of this match in the name */
    struct str captured; /* by `&` */
};

static bool normalise_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool normalise_is_of(char class, char c)
{
    bool alnum = normalise_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    switch (class) {
    case '#':
        return normalise_is_digit(c);
    case '%':
        return normalise_is_digit(c) || (c >= 'a' && c <= 'f');
    case '@':
        return alnum;
    default:
        return alnum || c == '_';
    }
}

/* By character: a bit for each class it is in. Made before main(). */
static const char classes[] = "#%@&";
static uint8_t class_bits[256];

static unsigned normalise_class_bit(char class)
{
    unsigned i = 0;
    while (classes[i] != class)
        i++;
    return 1u << i;
}

__attribute__((constructor(101))) static void normalise_make_classes(void)
{
    for (unsigned c = 0; c < sizeof class_bits; c++) {
        for (unsigned i = 0; i < sizeof classes - 1; i++)
            class_bits[c] |= (uint8_t)(normalise_is_of(classes[i], (char)c) ? 1u << i : 0);
    }
}

/* `{8}` or `{8,}` behind a class, which it moves *p over. */
static bool normalise_count_fits(const char **p, size_t n)
{
    if (**p != '{')
        return n > 0;
    size_t want = 0;
    while (normalise_is_digit(*++*p))
        want = 10 * want + (size_t)(**p - '0');
    bool at_least = **p == ',';
    *p += at_least ? 2 : 1;
    return at_least ? n >= want : n == want;
}

static bool normalise_take_run(const char **p, struct match *m)
{
    const char class = *(*p)++;
    const unsigned bit = normalise_class_bit(class);
    const size_t from = m->at;
    size_t at = from;
    while (at < m->name.n && (class_bits[(unsigned char)m->name.p[at]] & bit))
        at++;
    m->at = at;
    struct str run = {m->name.p + from, at - from};
    if (class == '&')
        m->captured = run;
    return normalise_count_fits(p, run.n);
}

static bool normalise_take_rest(struct match *m)
{
    const char *rest = m->name.p + m->at;
    size_t n = m->name.n - m->at, key = m->at - m->from;
    if (n == 0 || (key > 0 && memmem(rest, n, m->name.p + m->from, key)))
        return false;
    m->at = m->name.n;
    return true;
}

static bool normalise_take_one_of(const char **p, struct match *m)
{
    bool found = false;
    for (++*p; **p != ']'; ++*p)
        found |= m->at < m->name.n && **p == m->name.p[m->at];
    ++*p;
    m->at++;
    return found;
}

static bool normalise_take_all(const char *p, struct match *m);

/* Groups do not nest. */
static void normalise_take_group(const char **p, struct match *m)
{
    const struct str captured = m->captured;
    const size_t at = m->at;
    if (!normalise_take_all(*p + 1, m)) {
        m->at = at;
        m->captured = captured;
    }
    for (++*p; **p != ')'; ++*p)
        *p += **p == '\\';
    ++*p;
}

static bool normalise_take_boundary(const char **p, const struct match *m)
{
    const char c = *(*p)++;
    return m->at == m->name.n || (c == '>' && (m->name.p[m->at] == '$' || m->name.p[m->at] == '_'));
}

/* Up to the end of the pattern, or of a group. */
static bool normalise_take_all(const char *p, struct match *m)
{
    bool fine = true;
    while (fine && *p && *p != ')') {
        switch (*p) {
        case '#':
        case '%':
        case '@':
        case '&':
            fine = normalise_take_run(&p, m);
            break;
        case '[':
            fine = normalise_take_one_of(&p, m);
            break;
        case '(':
            normalise_take_group(&p, m);
            break;
        case '~':
            fine = normalise_take_rest(m);
            p++;
            break;
        case ';':
        case '>':
            fine = normalise_take_boundary(&p, m);
            break;
        default:
            p += *p == '\\';
            fine = m->at < m->name.n && m->name.p[m->at] == *p++;
            m->at++;
        }
    }
    return fine;
}

typedef uint8_t chars __attribute__((vector_size(16)));
enum { WIDTH = sizeof(chars) };

/* Which rules of a set can begin at a place of a kind with a character, and go on with another one behind that: a bit
 * per rule. Made once, before main(): nearly all places of nearly all names are done with by looking here. */
enum { CHARS = 129, NO_CHAR = CHARS - 1 /* the end of the name, and what is no ASCII */ };
enum place { FRONT, SIMPLE_FRONT /* behind `/` */, INSIDE, PLACES };
static struct starts {
    uint64_t first[PLACES][CHARS], second[CHARS];
    uint64_t text[64], mask[64];           /* by rule: up to eight characters that a match begins with, as a word */
    uint8_t text_len[64], pattern_len[64]; /* how many, and how many of the pattern say so */
    chars inside[CHARS]; /* those any for INSIDE begins with, in this set or its basis, 16 times each */
    unsigned inside_count;
} starts[ARRAY_LEN(sets)];

static bool normalise_may_begin_at(char prefix, enum place place)
{
    switch (prefix) {
    case '^':
        return place == FRONT;
    case '<':
        return place != INSIDE;
    case '*':
        return place != FRONT;
    default:
        return true;
    }
}

static void normalise_may_be_any(uint64_t bit, uint64_t to[CHARS])
{
    for (int c = 0; c < CHARS; c++)
        to[c] |= bit;
}

/* Sets the bit for every character that a match of the pattern from p on can begin with, or for some more; position
 * behind the part that takes it, NULL where that is not one character. */
static const char *normalise_first_chars(const char *p, uint64_t bit, uint64_t to[CHARS])
{
    switch (*p) {
    case '#':
    case '%':
    case '@':
    case '&':
        for (int c = 0; c < NO_CHAR; c++)
            to[c] |= normalise_is_of(*p, (char)c) ? bit : 0;
        return NULL;
    case '[':
        for (p++; *p != ']'; p++)
            to[(unsigned char)*p] |= bit;
        return p + 1;
    case '(':
        (void)normalise_first_chars(p + 1, bit, to);
        for (p++; *p != ')'; p++)
            p += *p == '\\';
        (void)normalise_first_chars(p + 1, bit, to);
        return NULL;
    case '~':
    case ';':
    case '>':
    case ')':
    case '\0':
        normalise_may_be_any(bit, to);
        return NULL;
    default:
        p += *p == '\\';
        to[(unsigned char)*p] |= bit;
        return p + 1;
    }
}

static void normalise_add_text(struct starts *to, const char *p, size_t rule)
{
    const char *const begin = p;
    char text[sizeof(uint64_t)] = {0};
    unsigned char mask[sizeof text] = {0};
    size_t n = 0;
    for (; n < sizeof text && *p && !strchr("#%@&[(~;>{", *p); n++) {
        p += *p == '\\';
        text[n] = *p++;
        mask[n] = 0xff;
    }
    to->text_len[rule] = (uint8_t)n;
    to->pattern_len[rule] = (uint8_t)(p - begin);
    memcpy(&to->text[rule], text, sizeof text);
    memcpy(&to->mask[rule], mask, sizeof mask);
}

static void normalise_add_starts(struct starts *to, const char *pattern, size_t rule)
{
    const uint64_t bit = UINT64_C(1) << rule;
    const char prefix = *pattern, *p = pattern + (prefix == '^' || prefix == '*' || prefix == '<');
    const char *behind = NULL;
    for (int place = 0; place < PLACES; place++) {
        if (normalise_may_begin_at(prefix, (enum place)place))
            behind = normalise_first_chars(p, bit, to->first[place]);
    }
    if (behind)
        (void)normalise_first_chars(behind, bit, to->second);
    else
        normalise_may_be_any(bit, to->second);
    normalise_add_text(to, p, rule);
}

__attribute__((constructor)) static void normalise_make_starts(void)
{
    _Static_assert(ARRAY_LEN(symbols) <= 64 && ARRAY_LEN(threads) <= 64, "a bit for each rule");
    for (size_t set = 0; set < ARRAY_LEN(sets); set++) {
        for (size_t i = 0; i < sets[set].count; i++)
            normalise_add_starts(&starts[set], sets[set].rules[i].pattern, i);
    }
    for (size_t set = 0; set < ARRAY_LEN(sets); set++) {
        for (int c = 0; c < NO_CHAR; c++) {
            if (starts[set].first[INSIDE][c] || starts[sets[set].basis].first[INSIDE][c])
                starts[set].inside[starts[set].inside_count++] = (chars){0} + (uint8_t)c;
        }
    }
}

static unsigned normalise_char_at(struct str name, size_t i)
{
    const unsigned char c = i < name.n ? (unsigned char)name.p[i] : NO_CHAR;
    return c < NO_CHAR ? c : NO_CHAR;
}

static enum place normalise_place_of(struct str name, size_t i)
{
    if (i == 0)
        return FRONT;
    return name.p[i - 1] == '/' ? SIMPLE_FRONT : INSIDE;
}

static const struct rule *normalise_find_rule(enum name_rules which, struct match *m, uint64_t may)
{
    const struct starts *s = &starts[which];
    uint64_t here = 0, here_mask = 0; /* near the end of the name nothing is told by them */
    if (m->name.n - m->from >= sizeof here) {
        memcpy(&here, m->name.p + m->from, sizeof here);
        here_mask = UINT64_MAX;
    }
    for (; may; may &= may - 1) {
        const unsigned i = (unsigned)__builtin_ctzll(may);
        const struct rule *rule = &sets[which].rules[i];
        if ((here ^ s->text[i]) & s->mask[i] & here_mask)
            continue;
        const char *p = rule->pattern;
        /* A run is taken from its beginning only. */
        if (*p == '#' && m->from > 0 && normalise_is_digit(m->name.p[m->from - 1]))
            continue;
        p += *p == '^' || *p == '*' || *p == '<';
        m->at = m->from + (here_mask ? s->text_len[i] : 0);
        if (normalise_take_all(p + (here_mask ? s->pattern_len[i] : 0), m))
            return rule;
    }
    return NULL;
}

/* What a word of eight characters has, a bit for each of them. */
static const uint64_t ones = UINT64_C(0x0101010101010101), high = UINT64_C(0x8080808080808080);

static uint64_t normalise_digits_in(uint64_t w)
{
    w ^= '0' * ones; /* digits are 0 to 9 now: what stays below 128 with 118 added */
    return ~(((w & ~high) + 0x76 * ones) | w) & high;
}

static uint64_t normalise_dollars_in(uint64_t w)
{
    w ^= '$' * ones; /* now 0 */
    return ~(((w & ~high) + 0x7f * ones) | w) & high;
}

/* Whether there is a digit or one `$` behind another; `dollars` carries over to the next word. */
static uint64_t normalise_may_match_in(uint64_t w, uint64_t *dollars)
{
    const uint64_t here = normalise_dollars_in(w),
                   found = normalise_digits_in(w) | (here & (here << 8 | *dollars >> 56));
    *dollars = here;
    return found;
}

static uint64_t normalise_word_at(struct str s, size_t i)
{
    uint64_t w;
    memcpy(&w, s.p + i, sizeof w);
    return w;
}

static bool normalise_has_digit(struct str s)
{
    size_t i = 0;
    for (; s.n - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
        if (normalise_digits_in(normalise_word_at(s, i)))
            return true;
    }
    for (; i < s.n; i++) {
        if (normalise_is_digit(s.p[i]))
            return true;
    }
    return false;
}

/* The same for sixteen characters and the one behind each. */

static chars normalise_may_match_at(chars here, chars behind)
{
    const chars digits = (chars)(here - '0' < (chars){} + 10), dollars = (chars)((here == '$') & (behind == '$'));
    return digits | dollars;
}

static chars normalise_chars_at(struct str s, size_t i)
{
    chars c;
    memcpy(&c, s.p + i, sizeof c);
    return c;
}

static uint64_t normalise_any_of(chars c)
{
    uint64_t halves[2];
    memcpy(halves, &c, sizeof halves);
    return halves[0] | halves[1];
}

static enum name_look normalise_seen(uint64_t bytes, uint64_t may_match)
{
    if (bytes & high)
        return NAME_FOREIGN;
    return may_match ? NAME_ASCII : NAME_SIMPLE;
}

static enum name_look normalise_look_at_long(struct str name)
{
    chars all = {0}, odd = {0};
    for (size_t i = 0; i + WIDTH < name.n; i += WIDTH) {
        const chars here = normalise_chars_at(name, i);
        all |= here;
        odd |= normalise_may_match_at(here, normalise_chars_at(name, i + 1));
    }
    /* The last ones, some for the second time. */
    const chars last = normalise_chars_at(name, name.n - WIDTH);
    odd |= normalise_may_match_at(normalise_chars_at(name, name.n - WIDTH - 1), last) |
           normalise_may_match_at(last, (chars){0});
    return normalise_seen(normalise_any_of(all | last), normalise_any_of(odd));
}

/* Nothing generated goes without a digit but Spring's older proxies, which have two `$`. */
enum name_look name_look(struct str name)
{
    enum { WORD = sizeof(uint64_t), TWO = 2 * WORD };
    uint64_t dollars = 0;
    if (name.n > TWO)
        return normalise_look_at_long(name);
    if (name.n < WORD) {
        const uint64_t w = name.n ? str_short_word(name) : 0; /* which may make two `$` of one */
        return normalise_seen(w, normalise_may_match_in(w, &dollars));
    }
    const uint64_t first = normalise_word_at(name, 0), last = normalise_word_at(name, name.n - WORD);
    uint64_t odd = normalise_may_match_in(first, &dollars);
    dollars = name.n == TWO ? dollars : 0; /* else the two overlap */
    odd |= normalise_may_match_in(last, &dollars);
    return normalise_seen(first | last, odd);
}

static void normalise_put(struct buf *out, const char *to, struct str captured)
{
    const char *at = strchr(to, '&');
    if (at) {
        buf_append(out, to, (size_t)(at - to));
        buf_str(out, captured);
        to = at + 1;
    }
    buf_puts(out, to);
}

/* The rule that matches at this place. */
static const struct rule *normalise_rule_at(enum name_rules rules, struct match *m)
{
    const struct starts *own = &starts[rules], *shared = &starts[sets[rules].basis];
    const enum place place = normalise_place_of(m->name, m->from);
    const unsigned c = normalise_char_at(m->name, m->from), next = normalise_char_at(m->name, m->from + 1);
    const uint64_t of_basis = shared->first[place][c] & shared->second[next];
    const struct rule *rule = of_basis ? normalise_find_rule(sets[rules].basis, m, of_basis) : NULL;
    const uint64_t others = own == shared ? 0 : own->first[place][c] & own->second[next];
    return rule || !others ? rule : normalise_find_rule(rules, m, others);
}

/* Where in a block of characters rules may begin, a bit of a byte for each: at some characters, behind `/`, and at
 * the front. `slash` carries over from the block before. */
struct places {
    uint64_t words[2];
};

static struct places normalise_places_in(const struct starts *s, struct str name, size_t block, uint64_t *slash)
{
    chars here = {0}, at = {0};
    if (name.n - block >= WIDTH)
        here = normalise_chars_at(name, block);
    else
        memcpy(&here, name.p + block, name.n - block);
    for (unsigned i = 0; i < s->inside_count; i++)
        at |= (chars)(here == s->inside[i]);
    const chars slashes = (chars)(here == '/');
    uint64_t behind[2];
    struct places ret;
    memcpy(ret.words, &at, sizeof ret.words);
    memcpy(behind, &slashes, sizeof behind);
    ret.words[0] |= behind[0] << 8 | *slash | (block == 0);
    ret.words[1] |= behind[1] << 8 | behind[0] >> 56;
    *slash = behind[1] >> 56;
    ret.words[0] &= ones;
    ret.words[1] &= ones;
    return ret;
}

/* The JDK's recorder spells hidden classes, and no others, with points between packages. */
static void normalise_spell_as_others(char *name, size_t n)
{
    if (memchr(name, '/', n))
        return;
    for (char *p = name; (p = memchr(p, '.', n - (size_t)(p - name)));)
        *p = '/';
}

struct rewriting {
    enum name_rules rules;
    struct match match;
    size_t done; /* bytes of the name that are in `out`, or stand for what is */
    bool hidden; /* a rule has matched that is for hidden classes alone */
    struct buf *out;
};

static void normalise_rewrite_at(struct rewriting *w, size_t i)
{
    struct match *m = &w->match;
    m->from = i;
    const struct rule *rule = i < w->done || i >= m->name.n ? NULL : normalise_rule_at(w->rules, m);
    if (!rule)
        return;
    buf_str(w->out, (struct str){m->name.p + w->done, i - w->done});
    normalise_put(w->out, rule->to, m->captured);
    w->hidden |= rule->pattern[0] == '*';
    w->done = m->at > i ? m->at : i + 1;
}

bool normalise(enum name_rules rules, struct str name, struct buf *out)
{
    struct rewriting w = {.rules = rules, .match = {.name = name}, .out = out};
    const size_t begin = out->len;
    uint64_t slash = 0;
    if (rules == NORMALISE_THREADS && !normalise_has_digit(name))
        return false;
    for (size_t block = 0; block < name.n; block += WIDTH) {
        const struct places at = normalise_places_in(&starts[rules], name, block, &slash);
        for (size_t half = 0; half < ARRAY_LEN(at.words); half++) {
            for (uint64_t marks = at.words[half]; marks; marks &= marks - 1)
                normalise_rewrite_at(&w, block + half * sizeof marks + (unsigned)__builtin_ctzll(marks) / 8);
        }
    }
    if (w.done == 0)
        return false;
    buf_str(out, (struct str){name.p + w.done, name.n - w.done});
    if (w.hidden && rules == NORMALISE_SYMBOLS)
        normalise_spell_as_others((char *)out->p + begin, out->len - begin);
    return true;
}
