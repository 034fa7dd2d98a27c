#include "base/unzip.h"

#include <errno.h>
#include <string.h>

/* Of a local header: APPNOTE.TXT §4.3.7. */
enum { FLAGS_AT = 6, METHOD_AT = 8, PACKED_AT = 18, NAME_AT = 26, EXTRA_AT = 28 };
enum { FLAG_ENCRYPTED = 1, FLAG_DESCRIPTOR = 8, METHOD_STORED = 0, METHOD_DEFLATED = 8, SIZE_ELSEWHERE = 0xffffffff };

static uint32_t unzip_number(const uint8_t *p, size_t n)
{
    uint32_t v = 0;
    while (n-- > 0)
        v = v << 8 | p[n];
    return v;
}

static size_t unzip_min(size_t a, uint64_t b)
{
    return a < b ? a : (size_t)b;
}

static void unzip_take(const uint8_t **in, size_t *in_len, size_t n)
{
    *in += n;
    *in_len -= n;
}

/* Another entry begins, or what follows all of them. */
static int unzip_header(struct unzip *u, struct err *err)
{
    const uint8_t *h = u->header;
    const uint32_t flags = unzip_number(h + FLAGS_AT, 2), method = unzip_number(h + METHOD_AT, 2);
    const size_t name = unzip_number(h + NAME_AT, 2);
    if (flags & FLAG_ENCRYPTED)
        return err_set(err, -EILSEQ, "ZIP: encrypted; unpack it first (unzip -p)");
    u->left = unzip_number(h + PACKED_AT, 4);
    u->skip = name + unzip_number(h + EXTRA_AT, 2);
    u->inflates = method == METHOD_DEFLATED;
    if (method != METHOD_STORED && method != METHOD_DEFLATED)
        return err_set(err, -EILSEQ, "ZIP: compression method %u; unpack it first (unzip -p)", method);
    if (method == METHOD_STORED && ((flags & FLAG_DESCRIPTOR && u->left == 0) || u->left == SIZE_ELSEWHERE))
        return err_set(err, -EILSEQ, "ZIP: a stored file without its size; unpack it first (unzip -p)");
    /* The name's last character tells a directory. */
    u->held = name;
    u->part = UNZIP_AT_NAME;
    return 0;
}

/* Name and extra fields. */
static int unzip_name(struct unzip *u, const uint8_t **in, size_t *in_len, struct err *err)
{
    const size_t n = unzip_min(*in_len, u->skip);
    if (u->held > 0 && u->held <= n)
        u->last_char = (*in)[u->held - 1];
    u->held = u->held > n ? u->held - n : 0;
    u->skip -= n;
    unzip_take(in, in_len, n);
    if (u->skip > 0)
        return 0;
    u->directory = u->last_char == '/';
    if (!u->directory && u->file)
        return err_set(err, -EILSEQ, "ZIP: an archive of several files; unpack it first (unzip)");
    u->file |= !u->directory;
    u->part = UNZIP_AT_DATA;
    /* 15 bits of window, no header: zlib.h, inflateInit2. */
    if (u->inflates && inflateInit2(&u->z, -15) != Z_OK)
        return err_set(err, -ENOMEM, "ZIP: out of memory");
    return 0;
}

static void unzip_end_entry(struct unzip *u)
{
    unzip_done(u);
    u->held = 0;
    u->part = UNZIP_BEHIND;
}

static int unzip_inflate(struct unzip *u, const uint8_t **in, size_t *in_len, uint8_t **out, size_t *out_len,
                         struct err *err)
{
    const size_t taken = unzip_min(*in_len, UINT32_MAX), room = unzip_min(*out_len, UINT32_MAX);
    u->z.next_in = (Bytef *)*in;
    u->z.avail_in = (uInt)taken;
    u->z.next_out = *out;
    u->z.avail_out = (uInt)room;
    const int result = inflate(&u->z, Z_NO_FLUSH);
    unzip_take(in, in_len, taken - u->z.avail_in);
    *out += room - u->z.avail_out;
    *out_len -= room - u->z.avail_out;
    if (result == Z_STREAM_END)
        unzip_end_entry(u);
    else if (result != Z_OK && result != Z_BUF_ERROR)
        return err_set(err, -EBADMSG, "ZIP: damaged%s%s", u->z.msg ? ": " : "", u->z.msg ? u->z.msg : "");
    return 0;
}

static void unzip_copy(struct unzip *u, const uint8_t **in, size_t *in_len, uint8_t **out, size_t *out_len)
{
    const size_t n = unzip_min(unzip_min(*in_len, *out_len), u->left);
    memcpy(*out, *in, n);
    unzip_take(in, in_len, n);
    *out += n;
    *out_len -= n;
    u->left -= n;
    if (u->left == 0)
        unzip_end_entry(u);
}

/* Looks for what follows an entry: another one or the central directory, behind a descriptor of 12 to 24 bytes or none.
 * Byte by byte, as its length is nowhere. */
static int unzip_behind(struct unzip *u, const uint8_t **in, size_t *in_len, struct err *err)
{
    static const uint8_t entry[] = {'P', 'K', 3, 4}, directory[] = {'P', 'K', 1, 2};
    enum { DESCRIPTOR_MAX = 24, SIGNATURE = sizeof entry };
    while (*in_len > 0) {
        u->header[u->held++] = **in;
        unzip_take(in, in_len, 1);
        if (u->held < SIGNATURE)
            continue;
        const uint8_t *end = u->header + u->held - SIGNATURE;
        if (memcmp(end, directory, SIGNATURE) == 0) {
            u->done = true;
            return 0;
        }
        if (memcmp(end, entry, SIGNATURE) == 0) {
            memmove(u->header, end, SIGNATURE);
            u->held = SIGNATURE;
            u->part = UNZIP_AT_HEADER;
            return 0;
        }
        if (u->held == DESCRIPTOR_MAX + SIGNATURE)
            return err_set(err, -EBADMSG, "ZIP: damaged: nothing known follows the file");
    }
    return 0;
}

static int unzip_gather_header(struct unzip *u, const uint8_t **in, size_t *in_len, struct err *err)
{
    const size_t n = unzip_min(*in_len, UNZIP_HEADER - u->held);
    memcpy(u->header + u->held, *in, n);
    u->held += n;
    unzip_take(in, in_len, n);
    return u->held == UNZIP_HEADER ? unzip_header(u, err) : 0;
}

int unzip_step(struct unzip *u, const uint8_t **in, size_t *in_len, uint8_t **out, size_t *out_len, struct err *err)
{
    int code = 0;
    if (u->done) { /* the central directory */
        unzip_take(in, in_len, *in_len);
        return 0;
    }
    switch (u->part) {
    case UNZIP_AT_HEADER:
        code = unzip_gather_header(u, in, in_len, err);
        break;
    case UNZIP_AT_NAME:
        code = unzip_name(u, in, in_len, err);
        break;
    case UNZIP_AT_DATA:
        if (u->inflates)
            code = unzip_inflate(u, in, in_len, out, out_len, err);
        else
            unzip_copy(u, in, in_len, out, out_len);
        break;
    case UNZIP_BEHIND:
        code = unzip_behind(u, in, in_len, err);
        break;
    }
    if (u->done && !u->file)
        return err_set(err, -EILSEQ, "ZIP: an archive without a file");
    return code;
}

void unzip_done(struct unzip *u)
{
    if (u->part == UNZIP_AT_DATA && u->inflates)
        inflateEnd(&u->z);
}
