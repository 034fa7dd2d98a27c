#include "components/pyroscope_write_spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "components/write_fixture.h"

static char root[] = "/tmp/test-spool-XXXXXX", path[64];
static const struct spool_limits roomy = {64 << 20, 3600ll * 1000000000};

struct seen {
    size_t taken, changed;
    char texts[64], service[16], id[PROFILE_ID_MAX], problem[ERR_MAX];
    struct spooled *copies[4];
};

static void on_taken(void *ctx, const struct write_spool_entry *e)
{
    struct seen *s = ctx;
    s->copies[s->taken++] = e->copy;
    snprintf(s->texts + strlen(s->texts), sizeof s->texts - strlen(s->texts), "%.*s ", (int)e->profile->len,
             (const char *)e->profile->pprof);
    snprintf(s->service, sizeof s->service, "%s", labels_get(e->labels, STR("service_name")).p);
    snprintf(s->id, sizeof s->id, "%s", e->profile->id);
    CHECK(e->age_ns >= 0 && e->age_ns < 60000000000);
    labels_unref(e->labels);
    encoded_profile_unref(e->profile);
}

static void on_changed(void *ctx, const char *problem)
{
    struct seen *s = ctx;
    s->changed++;
    snprintf(s->problem, sizeof s->problem, "%s", problem);
}

static const struct write_spool_events events = {on_taken, on_changed};

static struct spooled *store(struct write_spool *s, const char *text, char id[PROFILE_ID_MAX])
{
    struct labels *ls = labels_named("shop");
    struct encoded_profile *p = profile_of(text);
    struct spooled *c = write_spool_store(s, ls, p);
    if (id)
        snprintf(id, PROFILE_ID_MAX, "%s", p->id);
    encoded_profile_unref(p);
    labels_unref(ls);
    return c;
}

static void finish_loop(void)
{
    while (uv_loop_alive(&loop))
        uv_run(&loop, UV_RUN_ONCE);
}

static void nothing_is_created_before_something_is_stored(void)
{
    struct seen seen = {0};
    struct write_spool *s = write_spool_new(&loop, path, &roomy, NULL, &events, &seen);
    WAIT_FOR(seen.changed == 1 && write_spool_is_idle(s));
    CHECK_STR(seen.problem, "");
    write_spool_close(s);
    finish_loop();
    CHECK(access(path, F_OK) < 0);
}

static void a_profile_comes_back_as_it_was(void)
{
    struct seen seen = {0};
    char id[PROFILE_ID_MAX];
    struct write_spool *s = write_spool_new(&loop, path, &roomy, NULL, &events, &seen);
    struct spooled *a = store(s, "a", id), *b = store(s, "b", NULL);
    WAIT_FOR(write_spool_is_stored(a) && write_spool_is_stored(b));
    CHECK_INT(write_spool_counts(s).waiting, 0);
    write_spool_release(s, a);
    write_spool_take(s, 1 << 20);
    WAIT_FOR(seen.taken == 1);
    CHECK_STR(seen.texts, "a ");
    CHECK_STR(seen.service, "shop");
    CHECK_STR(seen.id, id);
    write_spool_finish(s, seen.copies[0]);
    write_spool_finish(s, b);
    WAIT_FOR(write_spool_is_idle(s));
    CHECK_INT(write_spool_counts(s).bytes, 0);
    write_spool_close(s);
    finish_loop();
    CHECK(access(path, F_OK) < 0);
}

/* Told before they are written: what was delivered meanwhile is not kept, what was released is. */
static void what_happens_while_it_is_stored_counts(void)
{
    struct seen seen = {0};
    struct write_spool *s = write_spool_new(&loop, path, &roomy, NULL, &events, &seen);
    write_spool_finish(s, store(s, "delivered", NULL));
    write_spool_release(s, store(s, "kept", NULL));
    write_spool_close(s); /* writes first */
    finish_loop();
    s = write_spool_new(&loop, path, &roomy, NULL, &events, &seen);
    WAIT_FOR(write_spool_counts(s).waiting > 0);
    write_spool_take(s, 1 << 20);
    WAIT_FOR(seen.taken > 0 && write_spool_is_idle(s));
    CHECK_HAS(seen.texts, "kept ");
    for (size_t i = 0; i < seen.taken; i++)
        write_spool_finish(s, seen.copies[i]);
    write_spool_close(s);
    finish_loop();
}

static void a_disk_that_cannot_be_used_is_a_problem_and_no_loss(void)
{
    struct seen seen = {0};
    struct write_spool *s = write_spool_new(&loop, "/proc/nowhere/spool/x", &roomy, NULL, &events, &seen);
    struct spooled *c = store(s, "a", NULL);
    WAIT_FOR(write_spool_has_failed(c));
    CHECK_HAS(seen.problem, "/proc/nowhere/spool/x");
    write_spool_finish(s, c);
    c = store(s, "b", NULL); /* not tried again at once */
    CHECK(write_spool_has_failed(c));
    write_spool_finish(s, c);
    write_spool_close(s);
    finish_loop();
}

int main(void)
{
    uv_loop_init(&loop);
    if (!mkdtemp(root))
        return 1;
    snprintf(path, sizeof path, "%s/spool", root);
    RUN(nothing_is_created_before_something_is_stored);
    RUN(a_profile_comes_back_as_it_was);
    RUN(what_happens_while_it_is_stored_counts);
    RUN(a_disk_that_cannot_be_used_is_a_problem_and_no_loss);
    if (rmdir(root) < 0 || !fault_loop_close(&loop)) {
        puts("FAIL something is left behind");
        return 1;
    }
    return REPORT();
}
