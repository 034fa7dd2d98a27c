#include "components/pyroscope_file_name.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/sha256.h"

enum { VALUE_MAX = 60, NAMED_MAX = 120, TYPE_MAX = 40, HASH_DIGITS = 8, STAMP = 16 };

/* --- making names --- */

static bool file_name_is_plain(char c, const char *more)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr(more, c));
}

static void file_name_add(struct buf *out, struct str value, size_t most, const char *more)
{
    for (size_t i = 0; i < value.n && i < most; i++)
        buf_byte(out, file_name_is_plain(value.p[i], more) ? (uint8_t)value.p[i] : '_');
}

static bool file_name_is_hashed(struct str name)
{
    return !str_has_prefix(name, STR("__")) && !str_is(name, "jfr_event") && !str_is(name, "pyroscope_spy");
}

static void file_name_hash(const struct labels *labels, char ret[HASH_DIGITS + 1])
{
    cleanup_buf struct buf all = BUF_INIT(1 << 20);
    uint8_t digest[SHA256_SIZE];
    for (size_t i = 0; i < labels_len(labels); i++) {
        const struct label *l = labels_at(labels, i);
        if (!file_name_is_hashed(l->name))
            continue;
        buf_str(&all, l->name);
        buf_byte(&all, 0);
        buf_str(&all, l->value);
        buf_byte(&all, 0);
    }
    sha256(buf_slice(&all), digest);
    for (size_t i = 0; i < HASH_DIGITS / 2; i++)
        snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

void file_name_base(const struct labels *labels, const struct string_list *name_labels, char ret[FILE_BASE_MAX])
{
    cleanup_buf struct buf named = BUF_INIT(FILE_BASE_MAX * 8);
    char hash[HASH_DIGITS + 1];
    for (size_t i = 0; i < name_labels->len; i++) {
        const struct str value = labels_get(labels, str_of(name_labels->items[i]));
        if (value.n && named.len)
            buf_byte(&named, '-');
        file_name_add(&named, value, VALUE_MAX, "._-");
    }
    if (!named.len)
        buf_puts(&named, "unnamed");
    if (named.p[0] == '.' || named.p[0] == '-') /* neither hidden nor taken for an option */
        named.p[0] = '_';
    const struct str pid = labels_get(labels, STR("__process_pid__"));
    cleanup_buf struct buf process = BUF_INIT(FILE_BASE_MAX);
    file_name_add(&process, pid, STAMP, "");
    file_name_hash(labels, hash);
    snprintf(ret, FILE_BASE_MAX, "%.*s%s%s-%s", NAMED_MAX, buf_cstr(&named), process.len ? "-" : "", buf_cstr(&process),
             hash);
}

void file_name_put(const char *base, int64_t wall_ns, enum file_kind kind, struct str type, unsigned n,
                   char ret[FILE_NAME_BYTES])
{
    const time_t seconds = (time_t)(wall_ns / NS_PER_SEC);
    struct tm tm = {0};
    char stamp[STAMP + 8] = "", number[16] = "";
    if (!gmtime_r(&seconds, &tm) || strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm) != STAMP)
        snprintf(stamp, sizeof stamp, "19700101T000000Z");
    if (n > 1)
        snprintf(number, sizeof number, ".%u", n);
    cleanup_buf struct buf word = BUF_INIT(TYPE_MAX + 1);
    file_name_add(&word, type, TYPE_MAX, "_");
    if (kind == FILE_JFR)
        snprintf(ret, FILE_NAME_BYTES, "%s-%s%s.jfr", base, stamp, number);
    else
        snprintf(ret, FILE_NAME_BYTES, "%s-%s.%s%s.pb.gz", base, stamp, word.len ? buf_cstr(&word) : "profile", number);
}

/* --- knowing them again --- */

static bool file_name_is_stamp(const char *s)
{
    static const char form[] = "00000000T000000Z";
    for (size_t i = 0; i < STAMP; i++)
        if (form[i] == '0' ? !isdigit((unsigned char)s[i]) : s[i] != form[i])
            return false;
    return true;
}

static bool file_name_is_hash(const char *s)
{
    return strspn(s, "0123456789abcdef") == HASH_DIGITS;
}

/* Of what follows the time. */
static enum file_kind file_name_ending(struct str rest)
{
    const bool jfr = str_has_suffix(rest, STR(".jfr")), pprof = str_has_suffix(rest, STR(".pb.gz"));
    for (size_t i = 0; i < rest.n; i++)
        if (!file_name_is_plain(rest.p[i], "._"))
            return FILE_OTHER;
    return jfr ? FILE_JFR : pprof ? FILE_PPROF : FILE_OTHER;
}

enum file_kind file_name_kind(const char *name, bool *part)
{
    struct str rest = str_of(name);
    *part = str_has_suffix(rest, STR(FILE_PART));
    if (*part)
        rest.n -= sizeof FILE_PART - 1;
    const char *at = strrchr(name, '-');
    if (!at || at - name < HASH_DIGITS + 1 || name[0] == '.' || at[-HASH_DIGITS - 1] != '-' ||
        !file_name_is_hash(at - HASH_DIGITS) || (size_t)(name + rest.n - at) <= STAMP + 1 ||
        !file_name_is_stamp(at + 1))
        return FILE_OTHER;
    at += 1 + STAMP;
    return file_name_ending((struct str){at, (size_t)(name + rest.n - at)});
}
