/* Users by name and number, of this host's /etc/passwd. */
#include "os/account.h"

#include <errno.h>

#include "test.h"

static struct host_user found;
static struct err err;

static void a_name_is_looked_up(void)
{
    CHECK_INT(account_find("root", &found, &err), 0);
    CHECK_STR(found.name, "root");
    CHECK_INT(found.uid, 0);
    CHECK_INT(found.gid, 0);
    CHECK_INT(account_find("nobody-of-this-name", &found, &err), -ENOENT);
    CHECK_STR(err.text, "no user nobody-of-this-name in /etc/passwd");
}

static void a_number_needs_no_user(void)
{
    CHECK_INT(account_find("54321", &found, &err), 0);
    CHECK_STR(found.name, "");
    CHECK_INT(found.uid, 54321);
    CHECK_INT(found.gid, 54321);
    CHECK_INT(account_find("0", &found, &err), 0);
    CHECK_STR(found.name, "root");
    CHECK_INT(account_find("54321:7", &found, &err), 0);
    CHECK_INT(found.uid, 54321);
    CHECK_INT(found.gid, 7);
}

static void what_is_neither_is_refused(void)
{
    static const char *const wrong[] = {"",    ":",          ":7",           "7:",   "7:x",
                                        "x:7", "4294967295", "7:4294967295", "-1:0", "7:8:9"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (account_find(wrong[i], &found, &err) == 0)
            FAIL_("\"%s\" is user %u:%u", wrong[i], found.uid, found.gid);
    }
}

int main(void)
{
    RUN(a_name_is_looked_up);
    RUN(a_number_needs_no_user);
    RUN(what_is_neither_is_refused);
    return REPORT();
}
