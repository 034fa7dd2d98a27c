#include <sys/stat.h>
#include <unistd.h>

#include "import_fixture.h"

static char dir[64];

static void put(const char *name, const char *text)
{
    cleanup_free char *path = xasprintf("%s/%s", dir, name), *aside = xasprintf("%s/.new", dir);
    FILE *f = fopen(aside, "w");
    if (!f || fputs(text, f) < 0)
        abort();
    fclose(f);
    CHECK_INT(rename(aside, path), 0);
}

static void begin(struct import_test *t)
{
    snprintf(dir, sizeof dir, "/tmp/smolder-test-import-XXXXXX");
    if (!mkdtemp(dir))
        abort();
    import_begin(t);
}

static void end(struct import_test *t)
{
    import_end(t);
    cleanup_free char *command = xasprintf("rm -r %s", dir);
    CHECK_INT(system(command), 0);
}

static char *config(const char *name, const char *more)
{
    return xasprintf("import.file \"m\" {\n  filename = \"%s/%s\"\n%s}\nm.d \"x\" { }\n", dir, name, more);
}

static void a_file_is_read_at_load_and_followed(void)
{
    struct import_test t;
    begin(&t);
    put("a.alloy", DECLARES("1"));
    cleanup_free char *text = config("a.alloy", "");
    CHECK_LOADS(&t, text, "");
    CHECK_STR(import_export_of(&t, "m.d.x"), "1");
    put("a.alloy", DECLARES("module_path"));
    cleanup_free char *folder = xasprintf("\"%s\"", dir);
    WAIT_EXPORT(&t, "m.d.x", folder);
    /* Broken, gone, and back again. */
    put("a.alloy", "declare");
    WAIT_PROBLEM(&t, "import.file.m: imported content from \"");
    CHECK_STR(import_export_of(&t, "m.d.x"), folder);
    put("a.alloy", DECLARES("3"));
    WAIT_EXPORT(&t, "m.d.x", "3");
    end(&t);
}

static void a_directory_is_one_module(void)
{
    struct import_test t;
    begin(&t);
    put("a.alloy", "declare \"d\" {\n  e \"x\" { }\n  export \"v\" {\n    value = [e.x.v, module_path]\n  }\n}\n");
    put("b.alloy", "declare \"e\" {\n  export \"v\" {\n    value = 1\n  }\n}\n");
    put("c.txt", "not ours");
    cleanup_free char *text = config("", "");
    CHECK_LOADS(&t, text, "");
    cleanup_free char *one = xasprintf("[1, \"%s/\"]", dir), *two = xasprintf("[2, \"%s/\"]", dir);
    CHECK_STR(import_export_of(&t, "m.d.x"), one);
    /* The definition moves to a file that was not there. */
    put("0.alloy", "declare \"e\" {\n  export \"v\" {\n    value = 2\n  }\n}\n");
    cleanup_free char *old = xasprintf("%s/b.alloy", dir);
    unlink(old);
    WAIT_EXPORT(&t, "m.d.x", two);
    end(&t);
}

static void a_swapped_link_far_away_is_noticed(void)
{
    struct import_test t;
    begin(&t);
    cleanup_free char *v1 = xasprintf("%s/v1", dir), *v2 = xasprintf("%s/v2", dir), *data = xasprintf("%s/..data", dir),
                      *next = xasprintf("%s/..next", dir), *link = xasprintf("%s/m.alloy", dir);
    CHECK_INT(mkdir(v1, 0755) | mkdir(v2, 0755), 0);
    put("v1/m.alloy", DECLARES("1"));
    put("v2/m.alloy", DECLARES("2"));
    CHECK_INT(symlink("v1", data) | symlink("..data/m.alloy", link) | symlink("v2", next), 0);
    cleanup_free char *text = config("m.alloy", "");
    CHECK_LOADS(&t, text, "");
    CHECK_STR(import_export_of(&t, "m.d.x"), "1");
    CHECK_INT(rename(next, data), 0);
    WAIT_EXPORT(&t, "m.d.x", "2");
    end(&t);
}

static void polling_does_without_events(void)
{
    struct import_test t;
    begin(&t);
    put("a.alloy", DECLARES("1"));
    cleanup_free char *text = config("a.alloy", "  detector = \"poll\"\n  poll_frequency = \"20ms\"\n");
    CHECK_LOADS(&t, text, "");
    put("a.alloy", DECLARES("2"));
    WAIT_EXPORT(&t, "m.d.x", "2");
    /* Arguments that change while it runs. */
    put("b.alloy", DECLARES("3"));
    cleanup_free char *other = config("b.alloy", "  poll_frequency = \"20ms\"\n");
    CHECK_LOADS(&t, other, "");
    CHECK_STR(import_export_of(&t, "m.d.x"), "3");
    put("b.alloy", DECLARES("4"));
    WAIT_EXPORT(&t, "m.d.x", "4");
    end(&t);
}

static void a_file_that_goes_away_leaves_its_module(void)
{
    struct import_test t;
    begin(&t);
    put("a.alloy", DECLARES("1"));
    cleanup_free char *text = config("a.alloy", "  poll_frequency = \"20ms\"\n");
    CHECK_LOADS(&t, text, "");
    cleanup_free char *path = xasprintf("%s/a.alloy", dir);
    unlink(path);
    for (int i = 0; i < 10; i++)
        uv_run(&t.loop, UV_RUN_ONCE);
    CHECK_STR(import_export_of(&t, "m.d.x"), "1");
    put("a.alloy", DECLARES("2"));
    WAIT_EXPORT(&t, "m.d.x", "2");
    end(&t);
}

static void what_cannot_be_read_refuses_the_load(void)
{
    struct import_test t;
    begin(&t);
    cleanup_free char *text = config("none.alloy", "");
    cleanup_free char *want =
        xasprintf("f:1:1: Failed to evaluate node for config block: %s/none.alloy: No such file or directory", dir);
    CHECK_LOADS(&t, text, want);
    cleanup_free char *fifo = xasprintf("%s/fifo", dir), *at_fifo = config("fifo", "");
    CHECK_INT(mkfifo(fifo, 0600), 0);
    cleanup_free char *no_file =
        xasprintf("f:1:1: Failed to evaluate node for config block: %s/fifo is neither a file nor a directory", dir);
    CHECK_LOADS(&t, at_fifo, no_file);
    cleanup_free char *word = config("x", "  detector = \"magic\"\n");
    CHECK_LOADS(&t, word, "f:3:14: \"magic\" unrecognized detector \"magic\", expected fsnotify or poll");
    end(&t);
}

/* Neither events nor a look in between: the load itself has to read. */
static void a_load_reads_files_as_they_are_now(void)
{
    struct import_test t;
    begin(&t);
    const char *rarely = "  detector = \"poll\"\n  poll_frequency = \"1h\"\n";
    cleanup_free char *text = config("a.alloy", rarely), *more = xasprintf("%sm.e \"y\" { }\n", text);
    cleanup_free char *inner = xasprintf(
        "import.file \"n\" {\n  filename = \"%s/b.alloy\"\n%s}\ndeclare \"d\" {\n  n.d \"x\" { }\n  export \"v\" "
        "{\n    value = n.d.x.v\n  }\n}\n",
        dir, rarely);
    put("a.alloy", DECLARES("1"));
    CHECK_LOADS(&t, text, "");
    put("a.alloy", DECLARES("2") "declare \"e\" {\n  export \"v\" {\n    value = 3\n  }\n}\n");
    CHECK_LOADS(&t, more, "");
    CHECK_STR(import_export_of(&t, "m.d.x"), "2");
    CHECK_STR(import_export_of(&t, "m.e.y"), "3");
    /* What is broken does not take its place, what is gone is kept. */
    cleanup_free char *path = xasprintf("%s/a.alloy", dir);
    cleanup_free char *broken =
        xasprintf("f:1:1: keeping the previously imported content: %s:1:8: expected block label, got TERMINATOR", path);
    cleanup_free char *gone =
        xasprintf("f:1:1: keeping the previously imported content: %s: No such file or directory", path);
    put("a.alloy", "declare");
    CHECK_LOADS(&t, more, broken);
    unlink(path);
    CHECK_LOADS(&t, more, gone);
    CHECK_STR(import_export_of(&t, "m.d.x"), "2");
    CHECK_STR(import_export_of(&t, "m.e.y"), "3");
    /* What it imports itself is read, too. */
    put("a.alloy", inner);
    put("b.alloy", DECLARES("4"));
    CHECK_LOADS(&t, text, "");
    CHECK_STR(import_export_of(&t, "m.d.x"), "4");
    put("b.alloy", DECLARES("5"));
    CHECK_LOADS(&t, text, "");
    CHECK_STR(import_export_of(&t, "m.d.x"), "5");
    CHECK_STR(buf_cstr(&t.problems), "");
    end(&t);
}

int main(void)
{
    RUN(a_file_is_read_at_load_and_followed);
    RUN(a_directory_is_one_module);
    RUN(a_swapped_link_far_away_is_noticed);
    RUN(polling_does_without_events);
    RUN(a_file_that_goes_away_leaves_its_module);
    RUN(what_cannot_be_read_refuses_the_load);
    RUN(a_load_reads_files_as_they_are_now);
    return REPORT();
}
