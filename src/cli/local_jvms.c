#include "cli/local_jvms.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/agent.h"
#include "jvm/operation/scan.h"
#include "jvm/operation/table.h"
#include "jvm/probe/user.h"
#include "jvm/session/quarantine_file.h"
#include "os/procfs.h"

enum { SCAN_MS = 3000, CONTAINER_LEAST = 12, NAMED_MAX = 8, KEYS_MAX = 64 << 10 };

struct local {
    uv_loop_t loop;
    struct priv *priv;
    bool lost;
};

/* ---- helper and loop ---- */

static void local_on_lost(void *arg, bool replaced)
{
    struct local *l = arg;
    (void)replaced;
    l->lost = true;
    uv_stop(&l->loop);
}

int local_open(struct local **ret, struct err *err)
{
    struct local *l = xcalloc(1, sizeof *l);
    signal(SIGPIPE, SIG_IGN);
    int code = priv_start(jvm_ops, NULL, &l->priv, err);
    if (code < 0) {
        free(l);
        return code;
    }
    uv_loop_init(&l->loop);
    code = priv_attach(l->priv, &l->loop, local_on_lost, l, err);
    if (code < 0) {
        local_close(l);
        return code;
    }
    *ret = l;
    return 0;
}

uv_loop_t *local_loop(struct local *l)
{
    return &l->loop;
}

struct priv *local_priv(struct local *l)
{
    return l->priv;
}

int local_run(struct local *l, const bool *done, struct err *err)
{
    while (!*done && !l->lost && uv_run(&l->loop, UV_RUN_ONCE))
        ;
    if (*done)
        return 0;
    return err_set(err, -EPIPE, "the privileged helper ended unexpectedly");
}

static void local_close_handle(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

void local_close(struct local *l)
{
    if (!l)
        return;
    priv_stop(l->priv);
    uv_walk(&l->loop, local_close_handle, NULL);
    uv_run(&l->loop, UV_RUN_DEFAULT);
    uv_loop_close(&l->loop);
    free(l);
}

/* ---- scan ---- */

static void local_jvm_done(struct local_jvm *j)
{
    free(j->user);
    free(j->container);
    free(j->service);
    free(j->exe);
    free(j->main);
    free(j->examined);
}

void local_list_done(struct local_list *l)
{
    for (size_t i = 0; i < l->len; i++)
        local_jvm_done(&l->items[i]);
    free(l->items);
    *l = (struct local_list){0};
}

struct local_scanning {
    struct local_list *list;
    size_t left;
    bool done;
    int code;
};

static void local_note_hidden(struct local_list *l, pid_t pid)
{
    struct procfs_stat stat;
    l->hidden++;
    if (procfs_stat(pid, &stat, NULL) == 0 && strcmp(stat.comm, "java") == 0)
        l->hidden_java++;
}

static void local_on_record(void *arg, const struct jvm_scan_record *r)
{
    struct local_list *l = ((struct local_scanning *)arg)->list;
    if (r->code == -EACCES || r->code == -EPERM || r->code == -ETIMEDOUT)
        local_note_hidden(l, r->pid);
    if (r->code < 0 || !r->is_java)
        return;
    const struct procfs_container in = jvm_scan_container(r);
    xgrow(&l->items, &l->cap, l->len + 1, sizeof *l->items);
    l->items[l->len++] = (struct local_jvm){.pid = r->pid,
                                            .start_time = r->start_time,
                                            .uid = r->uid,
                                            .user = str_dup(r->username),
                                            .container = str_dup(in.id),
                                            .service = str_dup(r->service),
                                            .delegated = in.delegated,
                                            .exe = str_dup(r->exe),
                                            .main = str_dup(r->main)};
}

static void local_on_scanned(void *arg, int code)
{
    struct local_scanning *s = arg;
    if (code < 0)
        s->code = code;
    s->done = --s->left == 0;
}

struct local_process {
    pid_t pid;
    uint64_t user;
};

static int local_by_user(const void *a, const void *b)
{
    const struct local_process *x = a, *y = b;
    return x->user != y->user ? (x->user > y->user) - (x->user < y->user) : (x->pid > y->pid) - (x->pid < y->pid);
}

static int local_by_pid(const void *a, const void *b)
{
    const struct local_jvm *x = a, *y = b;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

int local_scan(struct local *l, struct local_list *ret, struct err *err)
{
    static const unsigned want =
        JVM_WANT_EXE | JVM_WANT_UID | JVM_WANT_USERNAME | JVM_WANT_CGROUP | JVM_WANT_JAVA | JVM_WANT_IF_JAVA;
    cleanup_free struct procfs_pid *pids = NULL;
    size_t n = 0;
    int code = procfs_pids(&pids, &n, err);
    if (code < 0)
        return code;
    struct local_scanning s = {.list = ret, .left = 1};
    cleanup_free struct local_process *all = xcalloc(n + 1, sizeof *all);
    for (size_t i = 0; i < n; i++)
        all[i] = (struct local_process){pids[i].pid, jvm_user_of(pids[i].pid)};
    qsort(all, n, sizeof *all, local_by_user);
    for (size_t i = 0; i < n;) {
        struct jvm_scan_item items[JVM_SCAN_MAX];
        const uint64_t user = all[i].user;
        size_t k = 0;
        while (i < n && k < JVM_SCAN_MAX && all[i].user == user)
            items[k++] = (struct jvm_scan_item){all[i++].pid, want};
        s.left++;
        (void)jvm_scan(l->priv, user, items, k, SCAN_MS, local_on_record, local_on_scanned, &s);
    }
    local_on_scanned(&s, 0);
    code = local_run(l, &s.done, err);
    if (code == 0 && s.code < 0)
        code = err_set(err, s.code, "the privileged helper ended unexpectedly");
    if (ret->len > 1)
        qsort(ret->items, ret->len, sizeof *ret->items, local_by_pid);
    return code;
}

/* ---- examination ---- */

struct local_examining {
    struct local_jvm *jvm;
    size_t *left;
    bool *done;
};

static void local_on_examined(void *arg, const struct jvm_examination *e)
{
    struct local_examining *x = arg;
    x->jvm->examined = xcalloc(1, sizeof *e);
    *x->jvm->examined = *e;
    if (e->facts.main[0]) {
        free(x->jvm->main);
        x->jvm->main = xstrdup(e->facts.main);
    }
    *x->done = --*x->left == 0;
}

int local_examine(struct local *l, const struct jvm_request *request, struct local_jvm *items, size_t n,
                  struct err *err)
{
    size_t left = n;
    bool done = n == 0;
    cleanup_free struct local_examining *all = xcalloc(n + 1, sizeof *all);
    for (size_t i = 0; i < n; i++) {
        struct jvm_request r = *request;
        all[i] = (struct local_examining){&items[i], &left, &done};
        r.id = (struct jvm_id){items[i].pid, items[i].start_time};
        r.user = jvm_user_of(items[i].pid);
        (void)jvm_examine(l->priv, &r, local_on_examined, &all[i]);
    }
    return local_run(l, &done, err);
}

/* ---- selection ---- */

/* "Main" of "com.example.Main". */
static bool local_is_main(const char *main, const char *word)
{
    const size_t n = strlen(main), k = strlen(word);
    return *word && n >= k && strcmp(main + n - k, word) == 0 && (n == k || main[n - k - 1] == '.');
}

static bool local_fits(const struct local_jvm *j, const char *word)
{
    struct str name = str_of(word);
    if (str_has_suffix(name, STR(".jar")))
        name.n -= strlen(".jar");
    cleanup_free char *stem = str_dup(name);
    return local_is_main(j->main, stem) || strcmp(j->exe, word) == 0 ||
           (strlen(word) >= CONTAINER_LEAST && strncmp(j->container, word, strlen(word)) == 0) ||
           (j->examined && j->examined->facts.hostname[0] && strcmp(j->examined->facts.hostname, word) == 0);
}

static int local_choose_pid(const struct local_list *l, const char *word, size_t *ret, pid_t *pid, struct err *err)
{
    uint64_t number;
    if (!str_to_u64(str_of(word), &number) || number == 0 || number > INT32_MAX)
        return err_set(err, -EINVAL, "\"%s\" is not a process ID", word);
    *pid = (pid_t)number;
    for (size_t i = 0; i < l->len; i++)
        if (l->items[i].pid == *pid) {
            *ret = i;
            return 0;
        }
    return err_set(err, -ENOENT, "process %d is not a JVM that can be seen; list them with: smolder jvms", (int)*pid);
}

int local_choose(const struct local_list *l, const char *word, size_t *ret, pid_t *pid, struct err *err)
{
    struct str digits = str_of(word);
    while (digits.n && isdigit((unsigned char)digits.p[0]))
        digits = (struct str){digits.p + 1, digits.n - 1};
    if (*word && digits.n == 0 && strlen(word) < CONTAINER_LEAST)
        return local_choose_pid(l, word, ret, pid, err);
    size_t found = 0, at = 0;
    cleanup_buf struct buf names = BUF_INIT(ERR_MAX);
    for (size_t i = 0; i < l->len; i++)
        if (local_fits(&l->items[i], word) && found++ < NAMED_MAX) {
            at = i;
            buf_printf(&names, "%s%d (%.64s)", names.len ? ", " : "", (int)l->items[i].pid, l->items[i].main);
        }
    if (found > 1)
        return err_set(err, -EINVAL, "%zu JVMs match \"%s\": %s; use a process ID", found, word, buf_cstr(&names));
    if (!found)
        return err_set(err, -ESRCH, "no JVM matches \"%s\"; list them with: smolder jvms", word);
    *ret = at;
    *pid = l->items[at].pid;
    return 0;
}

int local_find(struct local *l, struct local_list *list, const char *word, const struct jvm_request *request,
               size_t *ret, pid_t *pid, struct err *err)
{
    size_t at = 0;
    int code = local_choose(list, word, &at, pid, err);
    if (code == -ESRCH) { /* a name that only the examination knows */
        *err = (struct err){0};
        code = local_examine(l, request, list->items, list->len, err);
        if (code == 0)
            code = local_choose(list, word, &at, pid, err);
    }
    if (code == 0 && !list->items[at].examined)
        code = local_examine(l, request, &list->items[at], 1, err);
    if (code == 0)
        *ret = at;
    return code;
}

int local_condemned(const char *storage_path, char **ret, struct err *err)
{
    cleanup_quarantine_list struct quarantine_list l = QUARANTINE_LIST_INIT;
    struct buf keys = BUF_INIT(KEYS_MAX);
    int code = quarantine_load(storage_path, &l, err);
    if (code < 0)
        return code;
    for (size_t i = 0; i < l.len; i++)
        if (l.items[i].strikes >= QUARANTINE_STRIKES)
            buf_printf(&keys, "%s%s", keys.len ? " " : "", l.items[i].makeup.key);
    *ret = xstrdup(buf_cstr(&keys));
    buf_done(&keys);
    return 0;
}
