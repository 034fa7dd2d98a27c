#include "cli/jvms_rows.h"

#include <stdlib.h>

#include "base/mem.h"

#include "test.h"

static const char answer[] =
    "{\"agent\":true,\"jvms\":[{\"pid\":7,\"start_time\":70,\"main\":\"Shop\",\"state\":\"profiling\",\"reason\":\"\"},"
    "{\"pid\":9,\"start_time\":90,\"main\":\"Old\",\"state\":\"refused\",\"reason\":\"because\",\"remedy\":\"do\"}]}";

static struct local_list list;
static struct err err;

static struct local_jvm *add_local(pid_t pid, uint64_t start_time, const char *main)
{
    xgrow(&list.items, &list.cap, list.len + 1, sizeof *list.items);
    struct local_jvm *j = &list.items[list.len++];
    *j = (struct local_jvm){.pid = pid, .start_time = start_time, .uid = 33, .main = xstrdup(main)};
    j->user = xstrdup("www-data");
    j->container = xstrdup("");
    j->exe = xstrdup("");
    j->examined = xcalloc(1, sizeof *j->examined);
    snprintf(j->examined->facts.version, sizeof j->examined->facts.version, "17.0.15");
    return j;
}

static void rows_are_joined_by_pid_and_start_time(void)
{
    struct jvm_rows rows = {0};
    CHECK_INT(jvm_rows_of_agent(&rows, STR(answer), &err), 0);
    CHECK_INT(rows.len, 2);
    add_local(7, 70, "Shop");
    add_local(9, 91, "New"); /* the PID of one that ended */
    jvm_rows_join(&rows, &list, true);
    CHECK_INT(rows.len, 3);
    CHECK_STR(rows.items[0].state, "profiling");
    CHECK_STR(rows.items[0].version, "17.0.15");
    CHECK_STR(rows.items[0].user, "www-data");
    bool found = false;
    for (size_t i = 1; i < rows.len; i++)
        if (rows.items[i].start_time == 91) {
            found = true;
            CHECK_STR(rows.items[i].state, "waiting");
            CHECK_STR(rows.items[i].reason, "no target of the agent's configuration");
        } else {
            CHECK_STR(rows.items[i].remedy, "do");
        }
    CHECK(found);
    jvm_rows_done(&rows);
    local_list_done(&list);
}

static void without_an_agent_the_reason_is_that_of_the_examination(void)
{
    struct jvm_rows rows = {0};
    struct jvm_examination *e = add_local(3, 30, "Shop")->examined;
    e->items[e->len++] = (struct precondition){.name = "attach",
                                               .result = PRECONDITION_PROBLEM,
                                               .blocks = true,
                                               .code = "attach_disabled",
                                               .text = "the JVM runs with -XX:+DisableAttachMechanism"};
    add_local(4, 40, "Other")->examined->facts.recording = true;
    jvm_rows_join(&rows, &list, false);
    CHECK_STR(rows.items[0].state, "refused");
    CHECK_STR(rows.items[0].code, "attach_disabled");
    CHECK_STR(rows.items[1].state, "profiling");
    jvm_rows_done(&rows);
    local_list_done(&list);
}

static void a_table_has_a_line_per_jvm_and_no_control_characters(void)
{
    struct jvm_rows rows = {0};
    struct buf out = BUF_INIT(1 << 16);
    add_local(3, 30, "Sh\x1b[31mop\nnext");
    jvm_rows_join(&rows, &list, false);
    jvm_rows_put_table(&rows, &out);
    CHECK_STR(buf_cstr(&out),
              "PID  USER      CONTAINER  VERSION  VENDOR  MAIN               STATE    WHY\n"
              "3    www-data  -          17.0.15  -       Sh\\x1b[31mop next  waiting  no agent is running\n");
    buf_done(&out);
    jvm_rows_done(&rows);
    local_list_done(&list);
}

static void json_has_null_for_what_is_unknown(void)
{
    struct jvm_rows rows = {0};
    struct buf out = BUF_INIT(1 << 16);
    CHECK_INT(jvm_rows_of_agent(&rows, STR(answer), &err), 0);
    jvm_rows_put_json(&rows, true, &list, &out);
    CHECK_HAS(buf_cstr(&out), "{\"agent\":true,\"hidden\":0,\"hidden_java\":0,\"jvms\":[\n"
                              "{\"pid\":7,\"start_time\":70,\"uid\":null,\"user\":null,");
    buf_done(&out);
    jvm_rows_done(&rows);
}

static void what_is_no_answer_of_an_agent_is_an_error(void)
{
    struct jvm_rows rows = {0};
    CHECK_INT(jvm_rows_of_agent(&rows, STR("<html>"), &err), -EBADMSG);
    CHECK_INT(jvm_rows_of_agent(&rows, STR("{\"jvms\":7}"), &err), -EBADMSG);
    CHECK_INT(jvm_rows_of_agent(&rows, STR("{\"jvms\":[7,{\"pid\":\"x\"}]}"), &err), 0);
    CHECK_INT(rows.items[0].pid, 0);
    jvm_rows_done(&rows);
}

int main(void)
{
    RUN(rows_are_joined_by_pid_and_start_time);
    RUN(without_an_agent_the_reason_is_that_of_the_examination);
    RUN(a_table_has_a_line_per_jvm_and_no_control_characters);
    RUN(json_has_null_for_what_is_unknown);
    RUN(what_is_no_answer_of_an_agent_is_an_error);
    return REPORT();
}
