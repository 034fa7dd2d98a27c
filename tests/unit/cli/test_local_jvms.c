#include "cli/local_jvms.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

#include "test.h"

static struct local_jvm jvms[] = {
    {.pid = 11, .main = (char *)"com.example.Shop", .exe = (char *)"/usr/bin/java", .container = (char *)""},
    {.pid = 12,
     .main = (char *)"app",
     .exe = (char *)"/opt/launcher",
     .container = (char *)"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
    {.pid = 13, .main = (char *)"org.other.Shop", .exe = (char *)"/usr/bin/java", .container = (char *)""},
};
static const struct local_list list = {.items = jvms, .len = sizeof jvms / sizeof *jvms};
static struct err err;

static int choose(const char *word)
{
    size_t at = 0;
    pid_t pid = 0;
    const int code = local_choose(&list, word, &at, &pid, &err);
    return code < 0 ? code : (int)pid;
}

static void a_jvm_is_chosen_by_any_of_its_names(void)
{
    CHECK_INT(choose("12"), 12);
    CHECK_INT(choose("com.example.Shop"), 11);
    CHECK_INT(choose("app"), 12);
    CHECK_INT(choose("app.jar"), 12);
    CHECK_INT(choose("/opt/launcher"), 12);
    CHECK_INT(choose("0123456789ab"), 12);
}

static void several_are_named(void)
{
    CHECK_INT(choose("Shop"), -EINVAL);
    CHECK_HAS(err.text, "11 (com.example.Shop), 13 (org.other.Shop)");
}

static void none_is_an_error_with_the_way_out(void)
{
    CHECK_INT(choose("hop"), -ESRCH);
    CHECK_HAS(err.text, "smolder jvms");
    CHECK_INT(choose("98765432101"), -EINVAL); /* neither a PID nor enough of a container */
    CHECK_INT(choose("4711"), -ENOENT);
    CHECK_INT(choose(""), -ESRCH);
}

static void the_host_name_of_a_container_counts_once_examined(void)
{
    struct jvm_examination e = {.facts.hostname = "pod-7"};
    jvms[2].examined = &e;
    CHECK_INT(choose("pod-7"), 13);
    jvms[2].examined = NULL;
}

static void a_scan_finds_no_jvm_in_this_process_and_ends(void)
{
    struct local *l = NULL;
    struct local_list found = {0};
    CHECK_INT(local_open(&l, &err), 0);
    CHECK_INT(local_scan(l, &found, &err), 0);
    for (size_t i = 0; i < found.len; i++)
        CHECK(found.items[i].pid != getpid());
    local_list_done(&found);
    local_close(l);
}

static void a_process_that_is_no_jvm_is_examined(void)
{
    struct local *l = NULL;
    struct local_jvm self = {.pid = getpid()};
    const struct jvm_request request = {.tmp_dir = "/tmp", .dist = "", .options = "event=itimer"};
    CHECK_INT(local_open(&l, &err), 0);
    CHECK_INT(local_examine(l, &request, &self, 1, &err), 0);
    const struct precondition *blocker = examination_blocker(self.examined);
    CHECK(blocker && self.examined->whole);
    CHECK_STR(blocker ? blocker->code : "", "not_hotspot");
    free(self.main);
    free(self.examined);
    local_close(l);
}

int main(void)
{
    RUN(a_scan_finds_no_jvm_in_this_process_and_ends);
    RUN(a_process_that_is_no_jvm_is_examined);
    RUN(a_jvm_is_chosen_by_any_of_its_names);
    RUN(several_are_named);
    RUN(none_is_an_error_with_the_way_out);
    RUN(the_host_name_of_a_container_counts_once_examined);
    return REPORT();
}
