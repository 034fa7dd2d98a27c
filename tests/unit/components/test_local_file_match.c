/* local.file_match in a running graph, and its patterns. */
#include <sys/stat.h>

#include "components/file_glob.h"
#include "discovery_fixture.h"

extern const struct component_def local_file_match;

static char dir[64];

static void make(const char *name)
{
    cleanup_free char *command = xasprintf("mkdir -p $(dirname %s/%s) && touch %s/%s", dir, name, dir, name);
    CHECK_INT(system(command), 0);
}

static void begin(void)
{
    static const char *const names[] = {"a.log", "b.txt", "x/a.log", "x/y/c.log", "x/.hidden.log", "{}/d.log"};
    snprintf(dir, sizeof dir, "/tmp/smolder-match-XXXXXX");
    if (!mkdtemp(dir))
        abort();
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        make(names[i]);
}

static void end(void)
{
    cleanup_free char *command = xasprintf("rm -rf %s", dir);
    CHECK_INT(system(command), 0);
}

/* The files below `dir`, separated by spaces. */
static void check_glob(const char *pattern, const char *want)
{
    struct file_matches m = {0};
    cleanup_buf struct buf got = BUF_INIT(1 << 16);
    cleanup_free char *whole = xasprintf("%s/%s", dir, pattern);
    file_glob(whole, &m);
    for (size_t i = 0; i < m.len; i++)
        buf_printf(&got, "%s%s", i ? " " : "", m.items[i].path + strlen(dir) + 1);
    CHECK_STR(buf_cstr(&got), want);
    file_matches_done(&m);
}

static void patterns_find_files(void)
{
    begin();
    check_glob("a.log", "a.log");
    check_glob("*.log", "a.log");
    check_glob("*", "a.log b.txt");
    check_glob("**/*.log", "a.log x/.hidden.log x/a.log x/y/c.log {}/d.log");
    check_glob("x/**", "x/.hidden.log x/a.log x/y/c.log");
    check_glob("**/y/*", "x/y/c.log");
    check_glob("x/?.log", "x/a.log");
    check_glob("{a.log,b.*,x/{y/c,a}.log}", "a.log b.txt x/a.log x/y/c.log");
    check_glob("[ab].*", "a.log b.txt");
    check_glob("x", "");
    check_glob("missing/**/*", "");
    end();
}

static void patterns_match_paths(void)
{
    CHECK(file_glob_matches("/a/**/c.log", "/a/b/x/c.log"));
    CHECK(file_glob_matches("/a/**/c.log", "/a/c.log"));
    CHECK(file_glob_matches("/a/**", "/a/b/c"));
    CHECK(file_glob_matches("/a/{b,c}/*.log", "/a/c/x.log"));
    CHECK(!file_glob_matches("/a/*", "/a/b/c"));
    CHECK(!file_glob_matches("/a/*.log", "/a/b.txt"));
    CHECK(!file_glob_matches("/a", "/a/b"));
    CHECK(!file_glob_matches("", "/a"));
}

static char *target(const char *name)
{
    return xasprintf("{__path__=\"%s/%s\", app=\"x\"}\n", dir, name);
}

static void targets_follow_the_files(void)
{
    struct discovery_test t;
    begin();
    discovery_begin(&t, &local_file_match);
    cleanup_free char *text =
        xasprintf("local.file_match \"m\" {\n  path_targets = [{\n    __path__ = \"%s/x/**/*.log\","
                  "\n    __path_exclude__ = \"%s/x/.*\",\n    app = \"x\",\n  }]\n"
                  "  sync_period = \"50ms\"\n}\n",
                  dir, dir);
    cleanup_free char *exclude = xasprintf(", __path_exclude__=\"%s/x/.*\"", dir);
    cleanup_free char *one = xasprintf("{__path__=\"%s/x/a.log\"%s, app=\"x\"}\n", dir, exclude),
                      *two = xasprintf("{__path__=\"%s/x/y/c.log\"%s, app=\"x\"}\n", dir, exclude),
                      *three = xasprintf("{__path__=\"%s/x/z.log\"%s, app=\"x\"}\n", dir, exclude);
    cleanup_free char *both = xasprintf("%s%s", one, two), *all = xasprintf("%s%s%s", one, two, three);
    LOAD(&t, text, "");
    WAIT_BOTH(&t, both, "2 files");
    make("x/z.log");
    WAIT_BOTH(&t, all, "3 files");
    discovery_end(&t);
    end();
}

static void old_files_are_ignored(void)
{
    struct discovery_test t;
    begin();
    discovery_begin(&t, &local_file_match);
    cleanup_free char *old = xasprintf("touch -d '2 days ago' %s/x/a.log", dir), *one = target("x/y/c.log");
    CHECK_INT(system(old), 0);
    cleanup_free char *text = xasprintf("local.file_match \"m\" {\n  path_targets = [{__path__ = \"%s/x/**/[ac].log\", "
                                        "app = \"x\"}]\n  ignore_older_than = \"24h\"\n}\n",
                                        dir);
    LOAD(&t, text, "");
    WAIT_TARGETS(&t, one);
    discovery_end(&t);
    end();
}

static void arguments_are_checked(void)
{
    struct discovery_test t;
    discovery_begin(&t, &local_file_match);
    LOAD(&t, "local.file_match \"m\" { }\n", "missing required attribute \"path_targets\"");
    LOAD(&t, "local.file_match \"m\" {\n  path_targets = []\n  sync_period = \"0s\"\n}\n",
         "sync_period must be greater than 0");
    discovery_end(&t);
}

int main(void)
{
    RUN(patterns_find_files);
    RUN(patterns_match_paths);
    RUN(targets_follow_the_files);
    RUN(old_files_are_ignored);
    RUN(arguments_are_checked);
    return REPORT();
}
