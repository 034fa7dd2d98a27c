/* An attach directory of OpenJ9 of the test's own, with the directory of one JVM in it. */
#pragma once

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jvm/attach/openj9_files.h"
#include "test.h"

enum { PLACE_PID = 4321 };

static struct openj9_place {
    char top[32], common[64], own[96];
    struct jvm_view view;
    struct openj9_options options;
} place;

static const char *place_path(const char *folder, const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%.440s/%.60s", folder, name);
    return path;
}

static void place_write(const char *path, mode_t mode, const char *text)
{
    const int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, mode);
    CHECK(fd >= 0);
    CHECK_INT(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    CHECK_INT(fchmod(fd, mode), 0);
    close(fd);
}

static void place_make_jvm(const char *name)
{
    char text[64], own[512];
    snprintf(own, sizeof own, "%s", place_path(place.common, name));
    CHECK_INT(mkdir(own, 0711), 0);
    place_write(place_path(own, "attachNotificationSync"), 0666, "");
    snprintf(text, sizeof text, "version=0.1\nprocessId=%s\n", name);
    place_write(place_path(own, "attachInfo"), 0600, text);
}

static void place_set_up(void)
{
    memset(&place, 0, sizeof place);
    snprintf(place.top, sizeof place.top, "/tmp/smolder-openj9-XXXXXX");
    CHECK(mkdtemp(place.top));
    snprintf(place.common, sizeof place.common, "%s/attach", place.top);
    snprintf(place.own, sizeof place.own, "%s/%d", place.common, PLACE_PID);
    CHECK_INT(mkdir(place.common, 01777), 0);
    place_write(place_path(place.common, "_notifier"), 0666, "");
    place_make_jvm("4321");
    place.view = JVM_VIEW_INIT;
    place.view.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    place.view.ns_pid = PLACE_PID;
    place.view.rights.uid = geteuid();
    CHECK_INT(pidref_open(getpid(), 0, &place.view.p, NULL), 0);
    snprintf(place.options.directory, sizeof place.options.directory, "%s", place.common);
    snprintf(place.options.id, sizeof place.options.id, "%d", PLACE_PID);
}

static void place_tear_down(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", place.top);
    CHECK_INT(system(command), 0);
    jvm_view_done(&place.view);
}

static int place_open(struct openj9_files *f, struct err *err)
{
    *f = OPENJ9_FILES_INIT;
    return openj9_files_open(f, &place.view, &place.options, err);
}
