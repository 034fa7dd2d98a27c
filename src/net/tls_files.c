#include "net/tls_files.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "conf/file.h"

/* Changes after which a name is used again, by then for no connection that is left; files that are remembered at once,
 * of which a configuration names a few. */
enum { GENERATIONS = 64, FILES_MAX = 256 };

struct tls_file {
    char *path;
    struct conf_stamp stamp;
    unsigned generation;
};

static struct strmap files = STRMAP_INIT; /* struct tls_file by path */

static void tls_files_forget(void)
{
    strmap_each(&files, e)
    {
        struct tls_file *f = e->value;
        free(f->path);
        free(f);
    }
    strmap_done(&files);
    files = STRMAP_INIT;
}

static struct tls_file *tls_file_of(const char *path)
{
    struct tls_file *f = strmap_get(&files, str_of(path));
    if (f)
        return f;
    if (files.len >= FILES_MAX)
        tls_files_forget();
    f = xcalloc(1, sizeof *f);
    f->path = xstrdup(path);
    f->stamp = conf_stamp_of(path);
    strmap_put(&files, str_of(f->path), f);
    return f;
}

char *tls_file_name(const char *path)
{
    struct tls_file *f = tls_file_of(path);
    const struct conf_stamp now = conf_stamp_of(path);
    if (!conf_stamp_equal(&now, &f->stamp)) {
        f->stamp = now;
        f->generation = (f->generation + 1) % GENERATIONS;
    }
    struct buf name = BUF_INIT(SIZE_MAX / 4);
    for (unsigned i = 0; i < f->generation; i++)
        buf_puts(&name, *path == '/' ? "/." : "./");
    buf_puts(&name, path);
    size_t len;
    return (char *)buf_take(&name, &len);
}
