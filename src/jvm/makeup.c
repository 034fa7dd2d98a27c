#include "jvm/makeup.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/sha256.h"
#include "jvm/scan.h"

static void set_key(struct jvm_makeup *m, struct str text)
{
    uint8_t hash[SHA256_SIZE];
    sha256(text, hash);
    for (size_t i = 0; i < (MAKEUP_KEY_SIZE - 1) / 2; i++)
        snprintf(m->key + 2 * i, 3, "%02x", hash[i]);
}

void makeup_read(const struct pidref *p, uint32_t uid, struct jvm_makeup *ret)
{
    struct jvm_makeup m = {.uid = uid};
    char exe[PATH_MAX] = "";
    struct stat st = {0};
    cleanup_buf struct buf cmdline = BUF_INIT(JVM_CMDLINE_MAX), all = BUF_INIT(PATH_MAX + JVM_CMDLINE_MAX + 256);
    cleanup_close int file = pidref_openat(p, "exe", O_PATH);
    ssize_t n = pidref_readlink(p, "exe", exe, sizeof exe);
    struct str path = procfs_without_deleted((struct str){exe, n < 0 ? 0 : (size_t)n});
    if (file >= 0)
        (void)!fstat(file, &st);
    (void)!pidref_read(p, "cmdline", &cmdline, NULL, NULL);
    struct str main = jvm_main_of(buf_slice(&cmdline));
    jvm_printable(path, m.exe, sizeof m.exe);
    jvm_printable(main, m.main, sizeof m.main);
    /* Of the whole texts: what is shown may be cut. */
    buf_printf(&all, "%u %llu ", uid, (unsigned long long)st.st_ino);
    buf_str(&all, path);
    buf_byte(&all, 0);
    buf_str(&all, main);
    set_key(&m, buf_slice(&all));
    *ret = m;
}

void makeup_seal(struct jvm_makeup *m, const struct jvm_build *build)
{
    char all[MAKEUP_KEY_SIZE + JVM_VERSION_MAX];
    snprintf(m->build, sizeof m->build, "%s", build->text);
    snprintf(all, sizeof all, "%s %s", m->key, m->build);
    set_key(m, str_of(all));
}
