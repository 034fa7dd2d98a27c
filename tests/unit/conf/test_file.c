#include "conf/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "test.h"

static char dir[] = "/tmp/smolder-test-XXXXXX", path[128];

static const char *in_dir(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void put(const char *name, const char *text)
{
    cleanup_fclose FILE *f = fopen(in_dir(name), "w");
    if (!f || fputs(text, f) < 0)
        abort();
}

static void reads_a_file_whole_and_says_what_state_it_has(void)
{
    cleanup_buf struct buf text = BUF_INIT(0);
    struct conf_stamp read = {0};
    put("a", "text\n");
    CHECK_INT(conf_file_read(in_dir("a"), 5, CONF_REGULAR, &text, &read, NULL), 0);
    CHECK_STR(buf_cstr(&text), "text\n");
    const struct conf_stamp now = conf_stamp_of(in_dir("a"));
    CHECK(conf_stamp_equal(&read, &now));
    /* Replaced by another one of the same length, as an editor does. */
    put("b", "TEXT\n");
    char from[128];
    snprintf(from, sizeof from, "%s", in_dir("b"));
    CHECK_INT(rename(from, in_dir("a")), 0);
    const struct conf_stamp then = conf_stamp_of(in_dir("a"));
    CHECK(!conf_stamp_equal(&read, &then));
    CHECK_INT(conf_file_read(in_dir("a"), 5, CONF_REGULAR, &text, NULL, NULL), 0);
    CHECK_STR(buf_cstr(&text), "TEXT\n");
}

static void a_file_that_is_gone_has_no_state(void)
{
    const struct conf_stamp none = conf_stamp_of(in_dir("none")), zero = {0};
    CHECK(conf_stamp_equal(&none, &zero));
}

static void errors_are_causes_with_what_to_do(void)
{
    cleanup_buf struct buf text = BUF_INIT(0);
    struct err err = {0};
    CHECK_INT(conf_file_read(in_dir("none"), 10, CONF_REGULAR, &text, NULL, &err), -ENOENT);
    CHECK_STR(err.text, "No such file or directory");
    CHECK_INT(conf_file_read(dir, 10, CONF_REGULAR, &text, NULL, &err), -EINVAL);
    CHECK_STR(err.text, "not a regular file");
    put("large", "more than four bytes");
    CHECK_INT(conf_file_read(in_dir("large"), 4, CONF_REGULAR, &text, NULL, &err), -EFBIG);
    CHECK_INT(text.len, 0);
    CHECK_INT(conf_file_read("/dev/zero", 2 << 20, CONF_STREAM, &text, NULL, &err), -EFBIG);
    CHECK_STR(err.text, "larger than 2 MiB, the most for a file of this kind");
    CHECK_INT(symlink(in_dir("ring"), in_dir("ring")), 0);
    CHECK_INT(conf_file_read(in_dir("ring"), 4, CONF_REGULAR, &text, NULL, &err), -ELOOP);
    CHECK_HAS(err.text, "leads back to itself");
}

static void says_who_may_not_read_it(void)
{
    cleanup_buf struct buf text = BUF_INIT(0);
    struct err err = {0};
    put("mine", "secret");
    CHECK_INT(chmod(in_dir("mine"), 0), 0);
    if (geteuid() == 0) { /* whom no mode stops */
        CHECK_INT(chown(dir, 65534, 65534) | seteuid(65534), 0);
        CHECK_INT(conf_file_read(in_dir("mine"), 10, CONF_REGULAR, &text, NULL, &err), -EACCES);
        CHECK_INT(seteuid(0), 0);
        CHECK_STR(err.text, "Permission denied: let user 65534 read the file and search the directories above it");
        return;
    }
    CHECK_INT(conf_file_read(in_dir("mine"), 10, CONF_REGULAR, &text, NULL, &err), -EACCES);
    CHECK_HAS(err.text, "Permission denied: let user ");
}

static void no_fifo_is_waited_for(void)
{
    cleanup_buf struct buf text = BUF_INIT(0);
    struct err err = {0};
    CHECK_INT(mkfifo(in_dir("fifo"), 0600), 0);
    CHECK_INT(conf_file_read(in_dir("fifo"), 10, CONF_REGULAR, &text, NULL, &err), -EINVAL);
    CHECK_STR(err.text, "not a regular file");
    CHECK_INT(conf_file_read(in_dir("fifo"), 10, CONF_NO_WAIT, &text, NULL, &err), 0);
    CHECK_INT(text.len, 0);
}

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    RUN(reads_a_file_whole_and_says_what_state_it_has);
    RUN(a_file_that_is_gone_has_no_state);
    RUN(errors_are_causes_with_what_to_do);
    RUN(says_who_may_not_read_it);
    RUN(no_fifo_is_waited_for);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command) != 0 || REPORT();
}
