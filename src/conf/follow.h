/* Follows files: a worker thread reads them at the start, after changes, and at an interval.
 *
 *     follow = conf_follow_new(&(struct conf_follow_options){
 *         .watch = {.loop = loop, .paths = &path, .path_count = 1, .poll_ms = 60000},
 *         .read = read_text, .take = take_text, .discard = free, .arg = me});
 *
 * One read runs at a time. A change during a read causes another read, so that the last result is current. The loop
 * never waits for the file system.
 */
#pragma once

#include "conf/watch.h"

struct conf_follow;

struct conf_follow_options {
    struct conf_watch_options watch; /* `changed` and `arg` are this module's; paths and entries are copied */
    /* In a worker thread: what the paths lead to now. The result is passed on, whatever it is. */
    void *(*read)(const char *const *paths, size_t n);
    void (*take)(void *arg, void *result); /* on the loop; owns the result */
    void (*discard)(void *result);         /* on the loop: a result that came too late */
    void *arg;
};

struct conf_follow *conf_follow_new(const struct conf_follow_options *options);
/* See conf_watch_missed(). */
size_t conf_follow_missed(const struct conf_follow *f);
/* Nothing is taken any more. A read that is under way ends by itself. NULL is fine. */
void conf_follow_free(struct conf_follow *f);
