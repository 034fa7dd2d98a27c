#include "cli/store_token.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"

enum { TOKEN_BYTES = 32, TOKEN_DIGITS = 2 * TOKEN_BYTES, TOKEN_LEAST = 16, FILE_MODE = 0600, OTHERS = 077 };

char *store_token_path(const char *dir)
{
    return xasprintf("%s/store.token", dir);
}

static int token_make(const char *path, char text[TOKEN_DIGITS + 1], struct err *err)
{
    uint8_t bytes[TOKEN_BYTES];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return err_errno(err, "get random bytes for %s", path);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (fd < 0)
        return err_errno(err, "create %s", path);
    if (dprintf(fd, "%s\n", text) != TOKEN_DIGITS + 1 || fsync(fd) < 0) {
        const int code = err_errno(err, "write %s", path);
        (void)unlink(path);
        return code;
    }
    return 0;
}

static int token_read(int fd, const char *path, char text[TOKEN_DIGITS + 1], struct err *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_errno(err, "read %s", path);
    if (!S_ISREG(st.st_mode) || (st.st_mode & OTHERS))
        return err_set(err, -EACCES, "%s can be read by others: delete it, and another token is made", path);
    const ssize_t n = read(fd, text, TOKEN_DIGITS);
    text[n > 0 ? n : 0] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    if (strlen(text) < TOKEN_LEAST || strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                   "-_.~") != strlen(text))
        return err_set(err, -EINVAL, "%s has no token of %d to %d letters and digits: delete it, and one is made", path,
                       TOKEN_LEAST, TOKEN_DIGITS);
    return 0;
}

int store_token_open(const char *dir, char **ret, struct err *err)
{
    char text[TOKEN_DIGITS + 1] = "";
    cleanup_free char *path = store_token_path(dir);
    cleanup_close int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int code = fd >= 0           ? token_read(fd, path, text, err)
               : errno == ENOENT ? token_make(path, text, err)
                                 : err_errno(err, "open %s", path);
    if (code == 0)
        *ret = xstrdup(text);
    return code;
}
