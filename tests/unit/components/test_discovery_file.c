/* The component in a running graph, on files that come, change, break and go. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/metric.h"
#include "components/env.h"
#include "flow/targets.h"
#include "graph/component.h"
#include "graph/controller.h"
#include "graph/view.h"
#include "lang/value_print.h"
#include "load_fixture.h"
#include "test.h"

extern const struct component_def discovery_file;

enum { DEADLINE_MS = 10000 };

static const struct component_def *const registry[] = {&discovery_file, NULL};
static uv_loop_t loop;
static struct component_env env = {.loop = &loop, .version = "test"};
static char dir[64];

/* --- files --- */

static const char *in_dir(const char *name)
{
    static char paths[4][160];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

/* As good tools do it: written beside its place and renamed. */
static void put(const char *name, const char *text)
{
    FILE *f = fopen(in_dir("temporary"), "w");
    if (!f || fputs(text, f) < 0)
        abort();
    fclose(f);
    CHECK_INT(rename(in_dir("temporary"), in_dir(name)), 0);
}

static void make(const char *name)
{
    CHECK_INT(mkdir(in_dir(name), 0755), 0);
}

/* --- the graph --- */

static struct controller *controller(void)
{
    snprintf(dir, sizeof dir, "/tmp/smolder-test-XXXXXX");
    if (!mkdtemp(dir))
        abort();
    uv_loop_init(&loop);
    return controller_new(&(struct controller_options){.loop = &loop, .components = registry, .env = &env});
}

static void end(struct controller *c)
{
    controller_stop(c, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    controller_free(c);
    CHECK_INT(uv_loop_close(&loop), 0);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    CHECK_INT(system(command), 0);
}

/* `body` with %s for the directory. */
static void load_(int line, struct controller *c, const char *body, const char *want)
{
    cleanup_buf struct buf text = BUF_INIT(10000);
    buf_puts(&text, "discovery.file \"f\" {\n");
    for (const char *at; (at = strstr(body, "%s")); body = at + 2) {
        buf_append(&text, body, (size_t)(at - body));
        buf_puts(&text, dir);
    }
    buf_printf(&text, "%s}\n", body);
    load_check(line, c, buf_cstr(&text), want);
}
#define LOAD(c, body, want) load_(__LINE__, c, body, want)

struct seen {
    struct buf addresses; /* of all targets, each with a blank behind it */
    char health[512];
    bool healthy, has_exports;
};

static bool look(void *arg, const struct component_view *v)
{
    struct seen *s = arg;
    const struct value *list = value_member(v->exports, STR("targets"));
    s->has_exports = list && value_kind(list) == VALUE_ARRAY;
    for (size_t i = 0; s->has_exports && i < value_len(list); i++) {
        const struct labels *ls = value_capsule_data(value_item(list, i), &target_capsule);
        buf_puts(&s->addresses, labels_get(ls, STR("__address__")).p);
        buf_byte(&s->addresses, ' ');
    }
    s->healthy = v->health == HEALTH_HEALTHY;
    snprintf(s->health, sizeof s->health, "%s", v->message ? v->message : "");
    return true;
}

/* Runs until these targets are exported and the health says what it should. */
static void wait_for_(int line, struct controller *c, const char *addresses, const char *health)
{
    struct seen s = {.addresses = BUF_INIT(1 << 16)};
    for (int ms = 0; ms < DEADLINE_MS; ms++) {
        buf_reset(&s.addresses);
        controller_each(c, look, &s);
        if (s.has_exports && strcmp(buf_cstr(&s.addresses), addresses) == 0 && strstr(s.health, health))
            break;
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    if (!s.has_exports || strcmp(buf_cstr(&s.addresses), addresses) != 0 || !strstr(s.health, health))
        FAIL_("line %d: targets \"%s\" (%s), want \"%s\" (%s)", line, buf_cstr(&s.addresses), s.health, addresses,
              health);
    buf_done(&s.addresses);
}
#define WAIT_FOR(c, addresses, health) wait_for_(__LINE__, c, addresses, health)

static double metric(const char *name, const char *more)
{
    char line[256];
    cleanup_buf struct buf page = BUF_INIT(1 << 20);
    metric_render(&page);
    snprintf(line, sizeof line, "\n%s{component_id=\"discovery.file.f\",component_path=\"/\"%s} ", name, more);
    const char *at = strstr(buf_cstr(&page), line);
    return at ? strtod(at + strlen(line), NULL) : -1;
}

static void files_are_read_and_followed(void)
{
    struct controller *c = controller();
    put("b.json", "[{\"targets\":[\"b1\",\"b2\"]}]");
    put("a.yml", "- targets: [a1]\n");
    LOAD(c, "files = [\"%s/*.json\", \"%s/a.yml\", \"%s/b*.json\"]\n", "");
    WAIT_FOR(c, "a1 b1 b2 ", "3 targets in 2 files");
    put("b.json", "[{\"targets\":[\"b3\"]}]");
    WAIT_FOR(c, "a1 b3 ", "");
    put("c.json", "[{\"targets\":[\"c1\"]}]");
    WAIT_FOR(c, "a1 b3 c1 ", "3 targets in 3 files");
    CHECK(metric("prometheus_sd_file_scan_duration_seconds_count", "") >= 3);
    char file[256];
    snprintf(file, sizeof file, ",filename=\"%s\"", in_dir("c.json"));
    CHECK(metric("prometheus_sd_file_mtime_seconds", file) > 1e9);
    CHECK_INT(unlink(in_dir("c.json")), 0);
    WAIT_FOR(c, "a1 b3 ", "2 targets in 2 files");
    CHECK_INT(metric("prometheus_sd_file_mtime_seconds", file), -1);
    CHECK_INT(metric("prometheus_sd_file_read_errors_total", ""), 0);
    CHECK_INT(metric("prometheus_sd_file_watcher_errors_total", ""), 0);
    end(c);
    CHECK_INT(metric("prometheus_sd_file_read_errors_total", ""), -1);
    CHECK_INT(metric("prometheus_sd_file_scan_duration_seconds_count", ""), -1);
}

static void a_broken_file_keeps_its_targets(void)
{
    struct controller *c = controller();
    put("a.json", "[{\"targets\":[\"a1\"]}]");
    put("b.json", "[{\"targets\":[\"b1\"]}]");
    LOAD(c, "files = [\"%s/*.json\"]\n", "");
    WAIT_FOR(c, "a1 b1 ", "");
    put("a.json", "[{\"targets\":[\"a2\"");
    put("b.json", "[{\"targets\":[\"b2\"]}]");
    WAIT_FOR(c, "a1 b2 ", "a.json: line 1");
    CHECK(metric("prometheus_sd_file_read_errors_total", "") >= 1);
    cleanup_value struct value *info = controller_debug_info(c, "discovery.file.f");
    cleanup_buf struct buf text = BUF_INIT(4096);
    value_print(info, &text);
    CHECK_HAS(buf_cstr(&text), "line 1");
    put("b.json", "no");
    WAIT_FOR(c, "a1 b2 ", "(and 1 more files)");
    put("a.json", "[{\"targets\":[\"a3\"]}]");
    put("b.json", "[]");
    WAIT_FOR(c, "a3 ", "1 targets in 2 files");
    end(c);
}

static void what_cannot_be_read_keeps_its_targets_too(void)
{
    struct controller *c = controller();
    put("a.json", "[{\"targets\":[\"a1\"]}]");
    LOAD(c, "files = [\"%s/a.json\"]\n", "");
    WAIT_FOR(c, "a1 ", "");
    CHECK_INT(unlink(in_dir("a.json")), 0);
    make("a.json");
    WAIT_FOR(c, "a1 ", "a.json: not a regular file");
    CHECK_INT(rmdir(in_dir("a.json")), 0);
    WAIT_FOR(c, "", "0 targets in 0 files");
    put("a.json", "[{\"targets\":[\"a1\"]}]");
    WAIT_FOR(c, "a1 ", "1 targets in 1 files");
    end(c);
}

static void a_config_map_of_kubernetes_is_followed(void)
{
    struct controller *c = controller();
    make("..one");
    make("..two");
    put("..one/t.json", "[{\"targets\":[\"one\"]}]");
    put("..two/t.json", "[{\"targets\":[\"two\"]}]");
    CHECK_INT(symlink("..one", in_dir("..data")), 0);
    CHECK_INT(symlink("..data/t.json", in_dir("t.json")), 0);
    LOAD(c, "files = [\"%s/*.json\"]\n", "");
    WAIT_FOR(c, "one ", "");
    CHECK_INT(symlink("..two", in_dir("..tmp")), 0);
    CHECK_INT(rename(in_dir("..tmp"), in_dir("..data")), 0);
    WAIT_FOR(c, "two ", "1 targets in 1 files");
    end(c);
}

static void other_arguments_keep_the_targets_until_the_first_result(void)
{
    struct controller *c = controller();
    put("a.json", "[{\"targets\":[\"a1\"]}]");
    put("b.json", "[{\"targets\":[\"b1\"]}]");
    LOAD(c, "files = [\"%s/a.json\"]\n", "");
    WAIT_FOR(c, "a1 ", "");
    LOAD(c, "files = [\"%s/a.json\", \"%s/b.json\"]\nrefresh_interval = \"10s\"\n", "");
    struct seen s = {.addresses = BUF_INIT(1 << 10)};
    controller_each(c, look, &s);
    CHECK_STR(buf_cstr(&s.addresses), "a1 ");
    buf_done(&s.addresses);
    WAIT_FOR(c, "a1 b1 ", "");
    LOAD(c, "files = [\"%s/b.json\"]\n", "");
    WAIT_FOR(c, "b1 ", "");
    end(c);
}

static void hidden_names_are_not_matched(void)
{
    struct controller *c = controller();
    put(".new.json", "[{\"targets\":[\"hidden\"]}]");
    put("a.json", "[{\"targets\":[\"a\"]}]");
    LOAD(c, "files = [\"%s/*.json\"]\n", "");
    WAIT_FOR(c, "a ", "1 targets in 1 files");
    end(c);
}

static void mistakes_are_refused(void)
{
    struct controller *c = controller();
    LOAD(c, "", "f:1:1: Failed to build component: decoding configuration: missing required attribute \"files\"");
    LOAD(c, "files = []\n",
         "f:1:1: Failed to build component: decoding configuration: file service discovery config must contain at "
         "least one path name");
    LOAD(c, "files = [\"a.json\", \"b.txt\"]\n",
         "f:1:1: Failed to build component: decoding configuration: path name \"b.txt\" is not valid for file "
         "discovery: it must end with .json, .yml or .yaml");
    LOAD(c, "files = [\"a.json\"]\nrefresh_interval = \"0s\"\n",
         "f:1:1: Failed to build component: decoding configuration: refresh_interval must be at least 1ms");
    end(c);
}

int main(void)
{
    RUN(files_are_read_and_followed);
    RUN(a_broken_file_keeps_its_targets);
    RUN(what_cannot_be_read_keeps_its_targets_too);
    RUN(a_config_map_of_kubernetes_is_followed);
    RUN(other_arguments_keep_the_targets_until_the_first_result);
    RUN(hidden_names_are_not_matched);
    RUN(mistakes_are_refused);
    return REPORT();
}
