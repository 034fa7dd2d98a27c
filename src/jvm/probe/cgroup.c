#include "jvm/probe/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "os/fsutil.h"

enum { MOUNTINFO_MAX = 4 << 20, CGROUPS_MAX = 64 << 10, KNOWN_MAX = 64 << 10, FILE_MAX = 64 << 10 };

/* One line of mountinfo: what of the file system is mounted, where, its type and super options. */
struct mount {
    struct str root, point, type, options;
};

static bool parse_mount(struct str line, struct mount *ret)
{
    struct str word = {0};
    for (unsigned i = 0; str_split(&line, ' ', &word); i++) {
        if (i == 3)
            ret->root = word;
        if (i == 4)
            ret->point = word;
        if (i > 5 && str_is(word, "-"))
            break;
    }
    struct str source;
    return str_split(&line, ' ', &ret->type) && str_split(&line, ' ', &source) && str_split(&line, ' ', &ret->options);
}

static bool cgroup_lists(struct str commas, const char *name)
{
    for (struct str word; str_split(&commas, ',', &word);)
        if (str_is(word, name))
            return true;
    return false;
}

/* The path behind "7:cpu,memory:" (version 1) or "0::"; NULL pointer when there is no such line. */
static struct str group_path(struct str cgroups, bool v2, const char *controller)
{
    for (struct str line; str_split(&cgroups, '\n', &line);) {
        struct str id, controllers;
        if (!str_split(&line, ':', &id) || !str_split(&line, ':', &controllers))
            continue;
        if (v2 ? str_is(id, "0") && controllers.n == 0 : cgroup_lists(controllers, controller))
            return line;
    }
    return (struct str){0};
}

/* Cuts the mounted part off the group's path: "/kubepods/pod7" of a mount of "/kubepods" is "/pod7". A path that leads
 * out of what is mounted ("/../x") has no place there. */
static bool cgroup_within(struct str path, struct str root, struct str *ret)
{
    if (!str_is(root, "/")) {
        if (!str_has_prefix(path, root) || (path.n > root.n && path.p[root.n] != '/'))
            return false;
        path = (struct str){path.p + root.n, path.n - root.n};
    }
    struct str rest = path;
    for (struct str part; str_split(&rest, '/', &part);)
        if (str_is(part, ".."))
            return false;
    *ret = str_is(path, "/") ? (struct str){path.p, 0} : path;
    return true;
}

static int find_in(struct str cgroups, struct str mountinfo, bool v2, const char *controller, struct cgroup *ret)
{
    struct str path = group_path(cgroups, v2, controller), below;
    if (!path.p || path.n == 0)
        return -ENOENT;
    int code = -ENOENT;
    for (struct str line; str_split(&mountinfo, '\n', &line);) {
        struct mount m = {0};
        if (!parse_mount(line, &m) || !str_is(m.type, v2 ? "cgroup2" : "cgroup") ||
            (!v2 && !cgroup_lists(m.options, controller)))
            continue;
        code = -EXDEV;
        if (!cgroup_within(path, m.root, &below))
            continue;
        int n = snprintf(ret->path, sizeof ret->path, "%.*s%.*s", STR_ARG(m.point), STR_ARG(below));
        if (n < 0 || (size_t)n >= sizeof ret->path)
            return -ENAMETOOLONG;
        ret->v2 = v2;
        ret->mount_len = m.point.n;
        return 0;
    }
    return code;
}

int cgroup_find(struct str cgroups, struct str mountinfo, struct cgroup *ret, struct err *err)
{
    /* On a hybrid host the memory controller is with version 1, and version 2 has none. */
    int code = find_in(cgroups, mountinfo, false, "memory", ret);
    if (code == -ENOENT)
        code = find_in(cgroups, mountinfo, true, "memory", ret);
    if (code == 0)
        return 0;
    return err_set(err, code, "%s",
                   code == -EXDEV ? "its memory cgroup is outside the agent's view of the cgroup file system"
                                  : "no memory cgroup is mounted here");
}

/* Appends a file of the kernel's. */
static bool read_file(const char *path, struct buf *out)
{
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    return fd >= 0 && fs_read(fd, out, NULL) == 0;
}

/* The mounts of cgroups among all, of which a busy node has thousands: read once, for they do not move while we run. */
static struct str cgroup_mounts(void)
{
    static struct buf known = BUF_INIT(KNOWN_MAX);
    cleanup_buf struct buf all = BUF_INIT(MOUNTINFO_MAX);
    if (known.len || !read_file("/proc/self/mountinfo", &all))
        return buf_slice(&known);
    struct str rest = buf_slice(&all);
    for (struct str line; str_split(&rest, '\n', &line);)
        if (line.n && memmem(line.p, line.n, " - cgroup", strlen(" - cgroup"))) {
            buf_str(&known, line);
            buf_byte(&known, '\n');
        }
    return buf_slice(&known);
}

int cgroup_of(const struct pidref *p, struct cgroup *ret, struct err *err)
{
    cleanup_buf struct buf groups = BUF_INIT(CGROUPS_MAX);
    int code = pidref_read(p, "cgroup", &groups, NULL, err);
    return code < 0 ? code : cgroup_find(buf_slice(&groups), cgroup_mounts(), ret, err);
}

bool cgroup_up(struct cgroup *c)
{
    char *slash = strrchr(c->path, '/');
    if (strlen(c->path) <= c->mount_len || !slash || (size_t)(slash - c->path) < c->mount_len)
        return false;
    *slash = '\0';
    return true;
}

static bool read_in(const struct cgroup *c, const char *file, struct buf *out)
{
    char path[PATH_MAX + NAME_MAX + 2];
    snprintf(path, sizeof path, "%s/%s", c->path, file);
    return read_file(path, out);
}

bool cgroup_number(const struct cgroup *c, const char *file, uint64_t *ret)
{
    cleanup_buf struct buf text = BUF_INIT(FILE_MAX);
    if (!read_in(c, file, &text))
        return false;
    struct str word = str_trim(buf_slice(&text));
    if (str_is(word, "max")) {
        *ret = UINT64_MAX;
        return true;
    }
    return str_to_u64(word, ret);
}

bool cgroup_value(const struct cgroup *c, const char *file, const char *key, uint64_t *ret)
{
    cleanup_buf struct buf text = BUF_INIT(FILE_MAX);
    if (!read_in(c, file, &text))
        return false;
    struct str rest = buf_slice(&text), word;
    for (struct str line; str_split(&rest, '\n', &line);)
        if (str_split(&line, ' ', &word) && str_is(word, key))
            return str_to_u64(str_trim(line), ret);
    return false;
}

bool cgroup_frozen(const struct pidref *p)
{
    cleanup_buf struct buf groups = BUF_INIT(CGROUPS_MAX), state = BUF_INIT(FILE_MAX);
    struct cgroup c;
    uint64_t frozen = 0;
    if (pidref_read(p, "cgroup", &groups, NULL, NULL) < 0)
        return false;
    const struct str all = buf_slice(&groups), mounts = cgroup_mounts();
    /* Version 1 says "FREEZING" while some threads still run. */
    if (find_in(all, mounts, false, "freezer", &c) == 0 && read_in(&c, "freezer.state", &state) &&
        !str_is(str_trim(buf_slice(&state)), "THAWED"))
        return true;
    return find_in(all, mounts, true, "freezer", &c) == 0 && cgroup_value(&c, "cgroup.events", "frozen", &frozen) &&
           frozen != 0;
}
