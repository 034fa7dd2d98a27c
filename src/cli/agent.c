#include "cli/agent.h"

#include <errno.h>
#include <linux/capability.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "api/agent/agent_http.h"
#include "api/agent/record_view.h"
#include "api/store_http.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/terminal.h"
#include "base/work.h"
#include "cli/command.h"
#include "cli/loader.h"
#include "cli/privileges.h"
#include "cli/storage.h"
#include "cli/store_token.h"
#include "components/all.h"
#include "components/env.h"
#include "graph/controller.h"
#include "graph/view.h"
#include "jvm/operation/table.h"
#include "jvm/session/quarantine.h"
#include "os/code_pages.h"
#include "os/rights.h"
#include "parser/parser_idle.h"
#include "parser/parser_pool.h"
#include "parser/parser_process.h"
#include "priv/priv.h"
#include "pyroscope/ingest_body.h"
#include "pyroscope/otlp_body.h"
#include "pyroscope/push_body.h"
#include "pyroscope/query_body.h"
#include "store/block.h"
#include "store/digest.h"
#include "store/flame_merge.h"
#include "store/profile_values.h"
#include "store/store.h"

/* The components end a little before AGENT_STOP_MS, so that the store can close properly. */
enum { HINT_AFTER_MS = 3000, SIGNALS = 3, COMPONENTS_STOP_MS = AGENT_STOP_MS - 500 };

struct agent {
    const struct agent_settings *settings;
    uv_loop_t loop;
    struct privileges privileges;
    struct priv *priv;
    struct component_env env;
    struct quarantine *quarantine;
    struct controller *controller;
    struct loader *loader;
    struct store *store;
    struct store_http *store_http;
    struct agent_http *http;
    uv_signal_t signals[SIGNALS];
    uv_timer_t hint, deadline;
    struct parser_idle idle;
    unsigned closing; /* what has yet to say that it is closed */
    bool stopping;
    bool page_has_tls, api_is_open, store_is_open; /* as the configuration in force wants it */
    char *store_token, *store_token_path;          /* NULL = none */
    int status;
};

#ifdef __aarch64__
static const char architecture[] = "arm64";
#else
static const char architecture[] = "amd64";
#endif
static struct metric_family build_info = {.name = "smolder_build_info",
                                          .alloy_name = "alloy_build_info",
                                          .help = "1, labelled with version, OS and architecture.",
                                          .kind = METRIC_GAUGE,
                                          .labels = {"goarch", "goos", "version"}};

/* What it is called, and by which flag it has its data directory. */
static const char *agent_command(const struct agent_settings *s)
{
    return s->store_only ? "smolder store" : "smolder run";
}

static const char *agent_storage_flag(const struct agent_settings *s)
{
    return s->store_only ? "--path" : "--storage.path";
}

static bool agent_reload(void *arg, struct buf *answer)
{
    struct agent *a = arg;
    if (!a->stopping)
        return loader_reload(a->loader, answer);
    buf_puts(answer, "stopping");
    return false;
}

/* ---- stopping ---- */

static void part_closed(void *arg)
{
    struct agent *a = arg;
    if (--a->closing == 0)
        uv_stop(&a->loop);
}

/* The store's server outlives the components: their last push may go there. */
static void components_stopped(void *arg)
{
    struct agent *a = arg;
    a->closing = 1 + (a->http != NULL) + (a->store_http != NULL) + (a->store != NULL);
    if (a->http)
        agent_http_close(TAKE_PTR(a->http), part_closed, a);
    if (a->store_http)
        store_http_close(TAKE_PTR(a->store_http), part_closed, a);
    if (a->store)
        store_close(TAKE_PTR(a->store), part_closed, a);
    part_closed(a);
}

static void out_of_time(uv_timer_t *t)
{
    struct agent *a = t->data;
    log_warn("shutdown timed out; exiting");
    _exit(a->status);
}

static void agent_stop(struct agent *a, int status)
{
    if (a->stopping)
        return;
    a->stopping = true;
    a->status = status;
    uv_timer_stop(&a->hint);
    loader_free(TAKE_PTR(a->loader));
    uv_timer_start(&a->deadline, out_of_time, AGENT_STOP_MS, 0);
    controller_stop(a->controller, components_stopped, a);
}

static void agent_on_signal(uv_signal_t *handle, int number)
{
    struct agent *a = handle->data;
    if (number == SIGHUP) {
        cleanup_buf struct buf answer = BUF_INIT(4 << 20);
        agent_reload(a, &answer);
        return;
    }
    log_info("stopping", L_STR("signal", number == SIGINT ? "SIGINT" : "SIGTERM"));
    agent_stop(a, EXIT_OK);
}

/* Sessions keep their recordings; what was asked of the old helper is asked of the new one. */
static void helper_lost(void *arg, bool replaced)
{
    struct agent *a = arg;
    if (a->stopping)
        return;
    if (replaced) {
        log_error("the privileged helper died or did not answer; restarted");
        return;
    }
    log_error("the privileged helper died and cannot be restarted; exiting");
    agent_stop(a, EXIT_SYSTEM);
}

/* ---- starting ---- */

struct java_count {
    struct agent *agent;
    size_t components, targets;
};

static void count_target(void *arg, const struct jvm_status *status)
{
    (void)status;
    struct java_count *count = arg;
    count->targets++;
}

static bool count_targets(void *arg, const struct component_view *v)
{
    struct java_count *count = arg;
    count->components += controller_jvms(count->agent->controller, v->id, count_target, count);
    return true;
}

/* A newcomer without a JVM would otherwise look at a silent terminal. */
static void hint_if_idle(uv_timer_t *t)
{
    struct java_count count = {.agent = t->data};
    controller_each(count.agent->controller, count_targets, &count);
    if (count.components && !count.targets)
        log_info("no JVM found yet; waiting for one to start", L_STR("demo", "make demo-app"));
}

static void http_problem(void *arg, const char *what)
{
    (void)arg;
    log_warn("HTTP server", L_STR("err", what));
}

static void store_problem(void *arg, const char *text)
{
    (void)arg;
    log_warn("embedded store", L_STR("err", text));
}

/* Its address, as whom the agent was started; its files as whom it runs (agent_become()). */
static int open_store(struct agent *a, struct err *err)
{
    const struct agent_settings *s = a->settings;
    if (!*s->store_listen)
        return 0;
    a->store = store_new(&(struct store_options){.loop = &a->loop,
                                                 .parsers = a->env.parsers,
                                                 .dir = s->storage_path,
                                                 .keep_seconds = s->store_keep_seconds,
                                                 .keep_bytes = s->store_keep_bytes,
                                                 .cache_bytes = s->store_cache_bytes,
                                                 .limits = s->query_limits,
                                                 .problem = store_problem});
    a->env.store = a->store;
    const struct store_http_options http = {.loop = &a->loop,
                                            .listen = s->store_listen,
                                            .token = s->store_token,
                                            .allowed_hosts = s->allowed_hosts,
                                            .store = a->store,
                                            .parsers = a->env.parsers,
                                            .controller = a->controller,
                                            .problem = http_problem};
    return store_http_open(&http, &a->store_http, err);
}

static void agent_put_flags(void *arg, struct buf *out)
{
    struct agent *a = arg;
    buf_puts(out, a->settings->flags);
}

static void agent_each_source(void *arg, void (*visit)(void *visit_arg, const struct config_file *file),
                              void *visit_arg)
{
    struct agent *a = arg;
    cleanup_conf_files struct conf_files files = {0};
    struct err err = {0};
    if (!a->loader || loader_read(a->loader, &files, &err) < 0)
        return; /* the log and the metrics of the bundle tell of it */
    for (size_t i = 0; i < files.len; i++)
        visit(visit_arg, &files.items[i]);
}

/* What is not a component's business. */
static bool program_is_healthy(void *arg, struct buf *why)
{
    const struct agent *a = arg;
    if (priv_healthy(a->priv))
        return true;
    buf_puts(why, "the privileged helper does not answer; no operations until it is restarted");
    return false;
}

static int open_http(struct agent *a, struct err *err)
{
    const struct agent_settings *s = a->settings;
    if (!*s->listen)
        return 0;
    const struct agent_http_options options = {.loop = &a->loop,
                                               .listen = s->listen,
                                               .prefix = s->ui_prefix,
                                               .support_bundle = s->support_bundle,
                                               .allowed_hosts = s->allowed_hosts,
                                               .controller = a->controller,
                                               .parsers = a->env.parsers,
                                               .reload = agent_reload,
                                               .healthy = program_is_healthy,
                                               .problem = http_problem,
                                               .flags = agent_put_flags,
                                               .sources = agent_each_source,
                                               .arg = a,
                                               .store_address =
                                                   a->store_http ? store_http_address(a->store_http) : NULL,
                                               .store_token = s->store_token};
    const int code = agent_http_open(&options, &a->http, err);
    if (code == 0 && a->store_http)
        store_http_set_agent(a->store_http, agent_http_address(a->http), agent_http_path(a->http));
    return code;
}

static void watch_signals(struct agent *a)
{
    static const int numbers[SIGNALS] = {SIGHUP, SIGINT, SIGTERM};
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < SIGNALS; i++) {
        uv_signal_init(&a->loop, &a->signals[i]);
        a->signals[i].data = a;
        uv_signal_start(&a->signals[i], agent_on_signal, numbers[i]);
    }
}

static void agent_on_problem(void *arg, const char *id, const char *message)
{
    (void)arg;
    log_error("component update failed", L_COMPONENT(id), L_STR("err", message));
}

static int agent_prepare_settings(void *arg, const struct settings *s, struct err *err)
{
    struct agent *a = arg;
    int code = a->http ? agent_http_prepare(a->http, s, err) : 0;
    if (code == 0 && a->store_http)
        code = store_http_prepare(a->store_http, s, err);
    return code;
}

/* Once when it becomes so, not at every reload. */
static void warn_of_open(bool *is_open, bool now, const char *server, const char *address)
{
    if (now && !*is_open)
        log_warn("server is reachable over the network without authentication; configure it in the http block",
                 L_STR("server", server), L_STR("address", address));
    *is_open = now;
}

static void apply_settings(void *arg, const struct settings *s)
{
    struct agent *a = arg;
    a->page_has_tls = s->http.has_tls;
    if (a->http) {
        agent_http_apply(a->http, s);
        warn_of_open(&a->api_is_open, agent_http_is_open(a->http, s), "api", agent_http_address(a->http));
    }
    if (a->store_http) {
        store_http_apply(a->store_http, s);
        warn_of_open(&a->store_is_open, store_http_is_open(a->store_http, s), "store",
                     store_http_address(a->store_http));
    }
}

static void quarantine_problem(void *arg, const char *text)
{
    (void)arg;
    log_warn("cannot save the quarantine list; it will be lost at a restart", L_STR("err", text));
}

/* ---- parser processes: children of the guard, which may give them a user of their own ---- */

static char parser_name[] = "smolder", parser_command[] = PARSER_COMMAND, parser_numbers[] = "0\0001";
static char *const parser_first[] = {parser_name, parser_command, parser_numbers, NULL};
static char *const parser_second[] = {parser_name, parser_command, parser_numbers + 2, NULL};
static const struct priv_program programs[] = {
    {parser_first, PARSER_SOCKET}, {parser_second, PARSER_SOCKET}, {NULL, 0}};
_Static_assert(ARRAY_LEN(programs) == PARSER_PROCESSES + 1, "a row for each, by its number");

static int agent_start_parser(void *arg, unsigned number, int *sock, pid_t *pid, struct err *err)
{
    return priv_program_start(arg, number, sock, pid, err);
}

static int agent_end_parser(void *arg, unsigned number, bool closed, struct child_end *ret)
{
    return priv_program_end(arg, number, closed, ret);
}

/* Of a store alone: nothing is done to other processes. What the guard and the helper keep is that by which parser
 * processes become users of their own. */
static void agent_no_op(struct priv_call *call)
{
    (void)call;
}

static const struct priv_op no_ops[] = {
    {.name = "none",
     .run = agent_no_op,
     .capabilities = RIGHTS_CAP(CAP_SETUID) | RIGHTS_CAP(CAP_SETGID) | RIGHTS_CAP(CAP_SETPCAP)},
    {.name = NULL}};
static const struct component_def *const no_components[] = {NULL};

static const struct priv_op *agent_ops(const struct agent_settings *s)
{
    return s->store_only ? no_ops : s->enter_namespaces ? jvm_ops_entering() : jvm_ops;
}

static int agent_start(struct agent *a, struct err *err)
{
    enum stability stability;
    if (!stability_parse(a->settings->stability, &stability))
        return err_set(err, -EINVAL, "--stability.level=%s: unknown level", a->settings->stability);
    int code = priv_attach(a->priv, &a->loop, helper_lost, a, err);
    if (code < 0)
        return code;
    if (!a->settings->store_only)
        a->quarantine = quarantine_new(&a->loop, a->settings->storage_path, quarantine_problem, a);
    const struct parser_starter starter = {agent_start_parser, agent_end_parser, a->priv};
    a->env = (struct component_env){&a->loop,
                                    a->priv,
                                    SMOLDER_VERSION,
                                    parser_pool_new(parser_name, &starter),
                                    a->quarantine,
                                    a->settings->crash_guard,
                                    a->settings->service_name && strcmp(a->settings->service_name, "main") == 0};
    parser_idle_begin(&a->idle, &a->loop, a->env.parsers, PARSER_IDLE_MS);
    a->env.storage_path = a->settings->storage_path;
    a->env.becomes = a->privileges.drop ? &a->privileges.user : NULL;
    a->controller = controller_new(
        &(struct controller_options){.loop = &a->loop,
                                     .components = a->settings->store_only ? no_components : all_components,
                                     .stability = stability,
                                     .skip_unknown = a->settings->skip_unknown,
                                     .env = &a->env,
                                     .on_problem = agent_on_problem,
                                     .problem_arg = a,
                                     .prepare = agent_prepare_settings,
                                     .apply = apply_settings,
                                     .settings_arg = a,
                                     .stop_ms = COMPONENTS_STOP_MS});
    if ((code = open_store(a, err)) < 0 || (code = open_http(a, err)) < 0)
        return code;
    const struct agent_settings *s = a->settings;
    a->store_token_path = s->store_token ? store_token_path(s->storage_path) : NULL;
    a->loader = loader_new(&(struct loader_options){.loop = &a->loop,
                                                    .controller = a->controller,
                                                    .paths = s->paths,
                                                    .path_count = s->path_count,
                                                    .store = a->store_http ? store_http_address(a->store_http) : "",
                                                    .store_token = a->store_token_path,
                                                    .empty = s->store_only,
                                                    .watch = s->watch_config});
    return 0;
}

static int agent_open_files(struct agent *a, struct err *err)
{
    int code = storage_check(agent_storage_flag(a->settings), a->settings->storage_path, err);
    if (!a->store) {
        if (code < 0)
            log_warn(err->text);
        return 0;
    }
    cleanup_buf struct buf notice = BUF_INIT(4096);
    if (code == 0)
        code = store_begin(a->store, &notice, err);
    if (notice.len)
        log_warn(buf_cstr(&notice));
    if (code == 0 && a->settings->store_token)
        code = store_token_open(a->settings->storage_path, &a->store_token, err);
    if (a->store_token)
        store_http_set_token(a->store_http, a->store_token);
    return code < 0 ? err_wrap(err, code, "embedded store") : 0;
}

/* Everything that needs privilege is open: addresses, configuration, certificates. Nothing of a target, a client or the
 * data directory has been read yet. */
static int agent_become(struct agent *a, struct err *err)
{
    const int code = privileges_drop(&a->privileges, err);
    if (code < 0)
        return code;
    a->env.becomes = NULL;
    work_release();
    return agent_open_files(a, err);
}

/* With hidepid, an ordinary user sees no process of another one. */
static void warn_of_hidden_processes(const struct agent *a)
{
    struct stat st;
    if (a->privileges.all_users && stat("/proc/1/stat", &st) < 0)
        log_warn("/proc hides processes of other users (hidepid): mount it with gid= of this user's group, or run with "
                 "--user=root",
                 L_INT("gid", a->privileges.user.gid));
}

/* A user without a name is called by the number. */
static void agent_announce_privileges(const struct host_user *user)
{
    char number[16];
    snprintf(number, sizeof number, "%u", user->uid);
    const char *name = user->name[0] ? user->name : number;
    log_info("the main process runs without privileges", L_STR("user", name), L_INT("uid", user->uid));
}

static void agent_announce_user(const struct agent *a)
{
    if (a->privileges.warning[0])
        log_warn(a->privileges.warning);
    else if (a->privileges.all_users)
        agent_announce_privileges(&a->privileges.user);
    else if (!a->settings->store_only)
        log_info("not running as root: only JVMs of this user can be profiled");
    if (!a->settings->store_only)
        warn_of_hidden_processes(a);
}

/* The log hides secrets, and others may read it: the token is for whoever sits at the terminal, and in its file. */
static void tell_page(const struct agent *a, const char *url)
{
    if (!a->store_token) {
        log_info("web UI listening", L_STR("page", url));
        return;
    }
    log_info("web UI listening; it needs the token in the file", L_STR("page", url),
             L_STR("file", a->store_token_path));
    if (isatty(STDERR_FILENO))
        terminal_printf(stderr, "%s: open %s?token=%s\n", agent_command(a->settings), url, a->store_token);
}

static void agent_announce(struct agent *a)
{
    metric_set(&build_info, 1, architecture, "linux", SMOLDER_VERSION);
    agent_announce_user(a);
    if (a->http)
        log_info("smolder is running", L_STR("version", SMOLDER_VERSION), L_STR("api", agent_http_address(a->http)));
    else
        log_info("smolder is running", L_STR("version", SMOLDER_VERSION));
    if (a->store_http) {
        cleanup_free char *url =
            xasprintf("%s://%s/", a->page_has_tls ? "https" : "http", store_http_address(a->store_http));
        tell_page(a, url);
    }
}

static void init_loop(struct agent *a)
{
    uv_loop_init(&a->loop);
    uv_timer_init(&a->loop, &a->hint);
    uv_timer_init(&a->loop, &a->deadline);
    a->hint.data = a->deadline.data = a;
    watch_signals(a);
}

static void close_handle(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

/* What is left are handles of our own, which close within one turn of the loop. */
static void agent_finish(struct agent *a)
{
    controller_free(a->controller);
    quarantine_free(a->quarantine);
    parser_idle_end(&a->idle);
    parser_pool_free(a->env.parsers);
    free(a->store_token);
    free(a->store_token_path);
    if (a->priv)
        priv_stop(a->priv);
    uv_walk(&a->loop, close_handle, NULL);
    uv_run(&a->loop, UV_RUN_DEFAULT);
    uv_loop_close(&a->loop);
}

/* Starting failed with nothing running yet: the same way out as after a stop. */
static void agent_abandon(struct agent *a)
{
    loader_free(TAKE_PTR(a->loader));
    uv_timer_start(&a->deadline, out_of_time, AGENT_STOP_MS, 0);
    if (!a->controller)
        return;
    a->stopping = true;
    work_release(); /* components wait for theirs */
    controller_stop(a->controller, components_stopped, a);
    uv_run(&a->loop, UV_RUN_DEFAULT);
}

int agent_parser(const char *number)
{
    struct stat st;
    if (!number || fstat(PARSER_SOCKET, &st) < 0 || !S_ISSOCK(st.st_mode)) {
        fputs("smolder " PARSER_COMMAND ": smolder run starts it by itself\n", stderr);
        return EXIT_USAGE;
    }
    static const struct parser_service *const services[] = {&digest_service,
                                                            &flame_merge_service,
                                                            &block_pack_service,
                                                            &block_join_service,
                                                            &block_flame_service,
                                                            &body_values_service,
                                                            &block_values_service,
                                                            &push_body_service,
                                                            &query_body_service,
                                                            &ingest_body_service,
                                                            &otlp_body_service,
                                                            &record_view_service,
                                                            NULL};
    parser_process_run(number, services, NULL);
}

/* One heap for all threads: the loop owns nearly everything, and small is what we promise. Conversions are made in
 * parser processes, so it keeps little of what was freed. Two workers: one may wait for the disk while the other waits
 * for a conversion. */
static void agent_keep_small(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 512 * 1024);
    mallopt(M_TRIM_THRESHOLD, 256 * 1024);
    setenv("UV_THREADPOOL_SIZE", "2", 0);
}

/* The soft limit is 1024 for the sake of select(2), which nobody here calls; each session takes some. */
static void raise_descriptor_limit(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_cur == r.rlim_max)
        return;
    r.rlim_cur = r.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &r);
}

/* First of all, while this process is small and has one thread. */
static int agent_prepare(struct agent *a, struct err *err)
{
    const struct agent_settings *s = a->settings;
    int code = privileges_plan(s->user ? s->user : "", &a->privileges, err);
    if (code == 0 && a->privileges.drop)
        code = storage_prepare(agent_storage_flag(s), s->storage_path, &a->privileges.user, err);
    if (code == -EPERM && !(s->user && *s->user)) {
        privileges_stay(&a->privileges, err->text); /* without CAP_CHOWN; nobody has asked for another user */
        code = 0;
    }
    if (code == 0)
        code = priv_start(agent_ops(s), programs, &a->priv, err);
    if (code < 0)
        return code;
    priv_restartable(a->priv);
    work_hold();
    return privileges_begin(err);
}

/* Exit status; EXIT_OK: it runs. */
static int agent_open(struct agent *a)
{
    struct err err = {0};
    if (agent_start(a, &err) == 0) {
        if (loader_first(a->loader) < 0)
            return EXIT_INPUT;
        if (agent_become(a, &err) == 0)
            return EXIT_OK;
    }
    terminal_printf(stderr, "%s: %s\n", agent_command(a->settings), err.text);
    return EXIT_SYSTEM;
}

int agent_run(const struct agent_settings *settings)
{
    struct agent a = {.settings = settings};
    struct err err = {0};
    agent_keep_small();
    raise_descriptor_limit();
    /* What is written is for this user alone; what is put where a JVM must read it gets its mode by hand
     * (jvm/attach/asprof.h). */
    umask(077);
    if (agent_prepare(&a, &err) < 0) {
        terminal_printf(stderr, "%s: %s\n", agent_command(settings), err.text);
        return EXIT_SYSTEM;
    }
    init_loop(&a);
    a.status = agent_open(&a);
    if (a.status != EXIT_OK) {
        agent_abandon(&a);
    } else {
        agent_announce(&a);
        uv_timer_start(&a.hint, hint_if_idle, HINT_AFTER_MS, 0);
        code_pages_release(NULL); /* those of the start */
        uv_run(&a.loop, UV_RUN_DEFAULT);
    }
    agent_finish(&a);
    return a.status;
}
