/* A FUSE file system that keeps its callers waiting: silentfs MODE FOLDER
 *
 *   page   a file "x" can be found and opened; its pages never come
 *   none   no request but the first is answered
 *
 * Returns when it is mounted; a process of its own goes on serving, and when that is killed all who wait get an error.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER = 1, FILE_NODE = 2, FILE_BYTES = 1 << 20, FOR_LONG = 1000 };

static int device;

static void answer(const struct fuse_in_header *to, int code, const void *body, size_t n)
{
    char out[4096];
    struct fuse_out_header head = {.len = (uint32_t)(sizeof head + n), .error = code, .unique = to->unique};
    memcpy(out, &head, sizeof head);
    if (n)
        memcpy(out + sizeof head, body, n);
    (void)!write(device, out, head.len);
}

static void serve_one(const struct fuse_in_header *in, bool pages_only)
{
    struct fuse_attr folder = {.ino = FOLDER, .mode = S_IFDIR | 0755, .nlink = 2};
    struct fuse_attr file = {.ino = FILE_NODE, .mode = S_IFREG | 0666, .nlink = 1, .size = FILE_BYTES};
    struct fuse_init_out init = {
        .major = 7, .minor = 31, .max_readahead = 4096, .max_write = 65536, .max_background = 16};
    struct fuse_entry_out entry = {.nodeid = FILE_NODE, .attr = file, .entry_valid = FOR_LONG, .attr_valid = FOR_LONG};
    struct fuse_attr_out attr = {.attr = in->nodeid == FOLDER ? folder : file, .attr_valid = FOR_LONG};
    struct fuse_open_out opened = {.fh = 1};
    if (in->opcode == FUSE_INIT) {
        answer(in, 0, &init, sizeof init);
        return;
    }
    if (!pages_only || in->opcode == FUSE_READ || in->opcode == FUSE_FORGET)
        return;
    if (in->opcode == FUSE_LOOKUP)
        answer(in, 0, &entry, sizeof entry);
    else if (in->opcode == FUSE_GETATTR)
        answer(in, 0, &attr, sizeof attr);
    else if (in->opcode == FUSE_OPEN || in->opcode == FUSE_OPENDIR)
        answer(in, 0, &opened, sizeof opened);
    else
        answer(in, -ENOSYS, NULL, 0);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    char options[128];
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=%u,group_id=%u,allow_other", device, geteuid(),
             getegid());
    if (device < 0 || mount("silent", argv[2], "fuse", 0, options) < 0) {
        fprintf(stderr, "no FUSE here: %s\n", strerror(errno));
        return 77;
    }
    if (fork() != 0)
        return 0;
    setsid();
    chdir("/");
    close(0); /* the test's output stays open: what it waits for is another process */
    static char in[1 << 20];
    for (;;) {
        ssize_t n = read(device, in, sizeof in);
        if (n < 0 && errno == ENODEV)
            return 0;
        if (n >= (ssize_t)sizeof(struct fuse_in_header))
            serve_one((void *)in, strcmp(argv[1], "page") == 0);
    }
}
