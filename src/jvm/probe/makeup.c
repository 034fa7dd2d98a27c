#include "jvm/probe/makeup.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/sha256.h"
#include "jvm/probe/command_line.h"
#include "os/procfs.h"

/* A part of a UUID may have letters only. */
enum { HEX_LEAST = 4 };

static void set_key(struct jvm_makeup *m, struct str text)
{
    uint8_t hash[SHA256_SIZE];
    sha256(text, hash);
    for (size_t i = 0; i < (MAKEUP_KEY_SIZE - 1) / 2; i++)
        snprintf(m->key + 2 * i, 3, "%02x", hash[i]);
}

void makeup_read(const struct jvm_view *v, struct jvm_makeup *ret)
{
    struct jvm_makeup m = {.uid = v->rights.uid};
    char exe[PATH_MAX] = "";
    struct stat st = {0};
    cleanup_buf struct buf all = BUF_INIT(PATH_MAX + JVM_CMDLINE_MAX + 256);
    struct str cmdline = buf_slice(&v->cmdline);
    if (cmdline.n > JVM_CMDLINE_MAX)
        cmdline.n = JVM_CMDLINE_MAX;
    ssize_t n = pidref_readlink(&v->p, "exe", exe, sizeof exe);
    struct str path = procfs_without_deleted((struct str){exe, n < 0 ? 0 : (size_t)n});
    if (v->exe >= 0)
        (void)!fstat(v->exe, &st);
    struct str main = command_line_main(cmdline);
    jvm_printable(path, m.exe, sizeof m.exe);
    jvm_printable(main, m.main, sizeof m.main);
    /* Of the whole texts: what is shown may be cut. */
    buf_printf(&all, "%u %llu ", m.uid, (unsigned long long)st.st_ino);
    buf_str(&all, path);
    buf_byte(&all, 0);
    buf_str(&all, main);
    buf_byte(&all, 0);
    makeup_arguments(cmdline, &all);
    set_key(&m, buf_slice(&all));
    *ret = m;
}

void makeup_arguments(struct str cmdline, struct buf *out)
{
    for (size_t i = 0, end; i < cmdline.n; i = end) {
        bool digit = false, hex = true;
        for (end = i; end < cmdline.n && isalnum((unsigned char)cmdline.p[end]); end++) {
            digit = digit || isdigit((unsigned char)cmdline.p[end]);
            hex = hex && isxdigit((unsigned char)cmdline.p[end]);
        }
        if (digit || (hex && end - i >= HEX_LEAST))
            buf_byte(out, '0');
        else if (end > i)
            buf_str(out, (struct str){cmdline.p + i, end - i});
        else
            buf_byte(out, (uint8_t)cmdline.p[end++]);
    }
}

void makeup_seal(struct jvm_makeup *m, const struct jvm_build *build, struct str profiler)
{
    char all[MAKEUP_KEY_SIZE + JVM_VERSION_MAX + MAKEUP_PROFILER_SIZE];
    snprintf(m->build, sizeof m->build, "%s", build->text);
    jvm_printable(profiler, m->profiler, sizeof m->profiler);
    snprintf(all, sizeof all, "%s %s %s", m->key, m->build, m->profiler);
    set_key(m, str_of(all));
}
