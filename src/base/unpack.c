#include "base/unpack.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/unzip.h"

struct unpack_format {
    const char *name;
    struct str magic;
    const char *soname, *package; /* NULL = no library is needed */
    const char *program;          /* that does the same */
    int (*open)(struct unpacker *u, void *library, struct err *err);
    int (*step)(struct unpacker *u, struct unpack_io *io, bool last, struct err *err);
    void (*close)(struct unpacker *u);
};

struct zstd_buffer {
    void *p;
    size_t size, at;
};
struct zstd {
    void *stream;
    void *(*create)(void);
    size_t (*free)(void *stream);
    size_t (*decompress)(void *stream, struct zstd_buffer *out, struct zstd_buffer *in);
    unsigned (*is_error)(size_t code);
    const char *(*error_name)(size_t code);
};

struct lz4 {
    void *context;
    size_t (*create)(void **context, unsigned version);
    size_t (*free)(void *context);
    size_t (*decompress)(void *context, void *out, size_t *out_len, const void *in, size_t *in_len,
                         const void *options);
    unsigned (*is_error)(size_t code);
    const char *(*error_name)(size_t code);
};

struct xz_stream {
    const uint8_t *in;
    size_t in_len;
    uint64_t total_in;
    uint8_t *out;
    size_t out_len;
    uint64_t total_out;
    const void *allocator;
    void *internal, *reserved[4];
    uint64_t numbers[2];
    size_t sizes[2];
    int enums[2];
};
struct xz {
    struct xz_stream stream;
    int (*decoder)(struct xz_stream *s, uint64_t memory_max, uint32_t flags);
    int (*code)(struct xz_stream *s, int action);
    void (*end)(struct xz_stream *s);
};

struct unpacker {
    const struct unpack_format *format;
    bool begun;    /* something came */
    bool complete; /* all that came is unpacked */
    union {
        struct zstd zstd;
        struct lz4 lz4;
        struct xz xz;
        struct unzip unzip;
    };
};

/* One function of a library. */
static int unpack_find(void *library, const char *name, void *ret, struct err *err)
{
    void *const f = dlsym(library, name);
    if (!f)
        return err_set(err, -ELIBACC, "no function %s in the library", name);
    memcpy(ret, &f, sizeof f);
    return 0;
}

static int unpack_truncated(const struct unpacker *u, struct err *err)
{
    return err_set(err, -EBADMSG, "%s: truncated", u->format->name);
}

static int unpack_damaged(const struct unpacker *u, const char *why, struct err *err)
{
    return err_set(err, -EBADMSG, "%s: damaged: %s", u->format->name, why);
}

/* ---- Zstandard ---- */

static int zstd_open(struct unpacker *u, void *library, struct err *err)
{
    struct zstd *z = &u->zstd;
    int code = unpack_find(library, "ZSTD_createDStream", &z->create, err);
    if (code == 0)
        code = unpack_find(library, "ZSTD_freeDStream", &z->free, err);
    if (code == 0)
        code = unpack_find(library, "ZSTD_decompressStream", &z->decompress, err);
    if (code == 0)
        code = unpack_find(library, "ZSTD_isError", &z->is_error, err);
    if (code == 0)
        code = unpack_find(library, "ZSTD_getErrorName", &z->error_name, err);
    if (code < 0)
        return code;
    z->stream = z->create();
    return z->stream ? 0 : -ENOMEM;
}

static int zstd_step(struct unpacker *u, struct unpack_io *io, bool last, struct err *err)
{
    (void)last;
    const struct zstd *z = &u->zstd;
    struct zstd_buffer in = {(void *)io->in, io->in_len, 0}, out = {io->out, io->out_len, 0};
    const size_t code = z->decompress(z->stream, &out, &in);
    io->in += in.at;
    io->in_len -= in.at;
    io->out += out.at;
    io->out_len -= out.at;
    if (z->is_error(code))
        return unpack_damaged(u, z->error_name(code), err);
    u->complete = code == 0;
    return 0;
}

static void zstd_close(struct unpacker *u)
{
    if (u->zstd.stream)
        u->zstd.free(u->zstd.stream);
}

/* ---- LZ4 ---- */

static int lz4_open(struct unpacker *u, void *library, struct err *err)
{
    enum { LZ4F_VERSION = 100 };
    struct lz4 *z = &u->lz4;
    int code = unpack_find(library, "LZ4F_createDecompressionContext", &z->create, err);
    if (code == 0)
        code = unpack_find(library, "LZ4F_freeDecompressionContext", &z->free, err);
    if (code == 0)
        code = unpack_find(library, "LZ4F_decompress", &z->decompress, err);
    if (code == 0)
        code = unpack_find(library, "LZ4F_isError", &z->is_error, err);
    if (code == 0)
        code = unpack_find(library, "LZ4F_getErrorName", &z->error_name, err);
    if (code < 0)
        return code;
    return z->is_error(z->create(&z->context, LZ4F_VERSION)) ? -ENOMEM : 0;
}

static int lz4_step(struct unpacker *u, struct unpack_io *io, bool last, struct err *err)
{
    (void)last;
    const struct lz4 *z = &u->lz4;
    size_t in = io->in_len, out = io->out_len;
    const size_t code = z->decompress(z->context, io->out, &out, io->in, &in, NULL);
    if (z->is_error(code))
        return unpack_damaged(u, z->error_name(code), err);
    io->in += in;
    io->in_len -= in;
    io->out += out;
    io->out_len -= out;
    if (in || out) /* asked for more, it expects another frame */
        u->complete = code == 0;
    return 0;
}

static void lz4_close(struct unpacker *u)
{
    if (u->lz4.context)
        u->lz4.free(u->lz4.context);
}

/* ---- XZ ---- */

/* lzma_ret, lzma_action and the flag of lzma/base.h and container.h. */
enum { XZ_OK, XZ_STREAM_END, XZ_MEM_ERROR = 5, XZ_MEMLIMIT_ERROR, XZ_BUF_ERROR = 10 };
enum { XZ_RUN, XZ_FINISH = 3, XZ_CONCATENATED = 8, XZ_MEMORY_MAX = 256 << 20 };

static int xz_open(struct unpacker *u, void *library, struct err *err)
{
    struct xz *z = &u->xz;
    int code = unpack_find(library, "lzma_stream_decoder", &z->decoder, err);
    if (code == 0)
        code = unpack_find(library, "lzma_code", &z->code, err);
    if (code == 0)
        code = unpack_find(library, "lzma_end", &z->end, err);
    if (code < 0)
        return code;
    return z->decoder(&z->stream, XZ_MEMORY_MAX, XZ_CONCATENATED) == XZ_OK ? 0 : -ENOMEM;
}

static int xz_step(struct unpacker *u, struct unpack_io *io, bool last, struct err *err)
{
    struct xz_stream *s = &u->xz.stream;
    s->in = io->in;
    s->in_len = io->in_len;
    s->out = io->out;
    s->out_len = io->out_len;
    const int code = u->xz.code(s, last ? XZ_FINISH : XZ_RUN);
    *io = (struct unpack_io){s->in, s->in_len, s->out, s->out_len};
    if (code == XZ_STREAM_END)
        u->complete = true;
    if (code == XZ_OK || code == XZ_STREAM_END)
        return 0;
    if (code == XZ_BUF_ERROR)
        return last && s->in_len == 0 ? unpack_truncated(u, err) : 0;
    if (code == XZ_MEMLIMIT_ERROR)
        return unpack_damaged(u, "needs more than 256 MiB to be unpacked", err);
    return code == XZ_MEM_ERROR ? err_set(err, -ENOMEM, "XZ: out of memory")
                                : unpack_damaged(u, "what it says does not fit", err);
}

static void xz_close(struct unpacker *u)
{
    if (u->xz.end)
        u->xz.end(&u->xz.stream);
}

/* ---- ZIP ---- */

static int zip_open(struct unpacker *u, void *library, struct err *err)
{
    (void)library;
    (void)err;
    u->unzip = (struct unzip){0};
    return 0;
}

static int zip_step(struct unpacker *u, struct unpack_io *io, bool last, struct err *err)
{
    (void)last;
    const int code = unzip_step(&u->unzip, &io->in, &io->in_len, &io->out, &io->out_len, err);
    u->complete = u->unzip.done;
    return code;
}

static void zip_close(struct unpacker *u)
{
    unzip_done(&u->unzip);
}

/* ---- any of them ---- */

#define BYTES(s)                                                                                                       \
    {                                                                                                                  \
        s, sizeof(s) - 1                                                                                               \
    }
static const struct unpack_format unpack_formats[] = {
    {"Zstandard", BYTES("\x28\xb5\x2f\xfd"), "libzstd.so.1", "libzstd1", "zstd -dc", zstd_open, zstd_step, zstd_close},
    {"LZ4", BYTES("\x04\x22\x4d\x18"), "liblz4.so.1", "liblz4-1", "lz4 -dc", lz4_open, lz4_step, lz4_close},
    {"XZ",
     BYTES("\xfd"
           "7zXZ\0"),
     "liblzma.so.5", "liblzma5", "xz -dc", xz_open, xz_step, xz_close},
    {"ZIP", BYTES("PK\x03\x04"), NULL, NULL, NULL, zip_open, zip_step, zip_close},
};

const struct unpack_format *unpack_recognise(struct str begin)
{
    for (size_t i = 0; i < ARRAY_LEN(unpack_formats); i++) {
        if (str_has_prefix(begin, unpack_formats[i].magic))
            return &unpack_formats[i];
    }
    return NULL;
}

static int unpack_load(const struct unpack_format *f, void **ret, struct err *err)
{
    *ret = f->soname ? dlopen(f->soname, RTLD_NOW | RTLD_LOCAL) : NULL;
    if (f->soname && !*ret)
        return err_set(err, -ELIBACC, "packed with %s, and %s is missing; install the package %s, or unpack it (%s)",
                       f->name, f->soname, f->package, f->program);
    return 0;
}

/* Libraries stay: they are few, and input of a kind comes again. */
int unpacker_new(const struct unpack_format *f, struct unpacker **ret, struct err *err)
{
    void *library;
    int code = unpack_load(f, &library, err);
    if (code < 0)
        return code;
    struct unpacker *u = xcalloc(1, sizeof *u);
    u->format = f;
    code = f->open(u, library, err);
    if (code < 0) {
        unpacker_free(u);
        return code == -ENOMEM ? err_set(err, code, "%s: out of memory", f->name) : code;
    }
    *ret = u;
    return 0;
}

void unpacker_free(struct unpacker *u)
{
    if (!u)
        return;
    u->format->close(u);
    free(u);
}

int unpacker_step(struct unpacker *u, struct unpack_io *io, bool last, struct err *err)
{
    const struct unpack_io before = *io;
    if (io->in_len == 0 && !last)
        return 0;
    if (io->in_len == 0 && u->complete)
        return 1;
    const int code = u->format->step(u, io, last, err);
    if (code < 0)
        return code;
    const bool moved = io->in_len != before.in_len || io->out_len != before.out_len;
    if (u->complete && io->in_len == 0 && last)
        return 1;
    return moved || !last || io->out_len == 0 ? 0 : unpack_truncated(u, err);
}
