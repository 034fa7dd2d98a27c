#include "cli/convert_row.h"

#include <errno.h>

#include "base/cleanup.h"
#include "pprof/from_jfr.h"
#include "pprof/recording.h"
#include "test.h"

static struct chunk_builder some_chunk(unsigned events)
{
    struct chunk_builder c = recording_begin();
    for (unsigned i = 0; i < events; i++)
        recording_execution(&c, STACK_MAIN, THREAD_MAIN, STATE_RUNNABLE);
    recording_end(&c);
    return c;
}

static uint64_t samples(struct conversion *c)
{
    size_t n;
    return conversion_events(c, &n)[0].count;
}

static void what_is_in_the_row_comes_in_order(void)
{
    struct conversion *c = conversion_new(&(struct conversion_options){.cpu_ns = 10});
    struct row *r = row_new(c, 4);
    struct chunk_builder chunk = some_chunk(1);
    CHECK(row_reads_ahead(r));
    row_add(r, &(struct row_item){.kind = ROW_BEGIN});
    row_add(r, &(struct row_item){.kind = ROW_CHUNK, .chunk = buf_slice(&chunk.b), .at = 7});
    row_add(r, &(struct row_item){.kind = ROW_DAMAGE, .why = {.code = -EBADMSG, .text = "cut"}});
    CHECK_INT(row_len(r), 3);
    CHECK_INT(row_item_at(r, 1)->at, 7);
    CHECK_STR(row_item_at(r, 2)->why.text, "cut");
    row_remove(r, 0);
    struct err err = {0};
    CHECK_INT(row_convert(r, &err), 0);
    CHECK_INT(samples(c), 1);
    row_remove(r, 0);
    CHECK_INT(row_item_at(r, 0)->kind, ROW_DAMAGE);
    row_free(r);
    chunk_done(&chunk);
    conversion_free(c);
}

/* Many rounds, so that the front is found waiting, under way and done. */
static void every_chunk_counts_once_whoever_converts_it(void)
{
    enum { ROUNDS = 40, EVENTS = 30000 };
    struct conversion *c = conversion_new(&(struct conversion_options){.cpu_ns = 10});
    struct row *r = row_new(c, 3);
    struct chunk_builder chunk = some_chunk(EVENTS);
    struct err err = {0};
    row_add(r, &(struct row_item){.kind = ROW_BEGIN});
    row_remove(r, 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        while (!row_is_full(r))
            row_add(r, &(struct row_item){.kind = ROW_CHUNK, .chunk = buf_slice(&chunk.b)});
        CHECK_INT(row_convert(r, &err), 0);
        row_remove(r, 0);
        CHECK_INT(samples(c), (uint64_t)EVENTS * (i + 1));
    }
    while (row_len(r))
        row_remove(r, row_len(r) - 1);
    row_free(r);
    chunk_done(&chunk);
    conversion_free(c);
}

static void a_refused_chunk_says_why_and_the_next_one_is_taken(void)
{
    struct conversion *c = conversion_new(&(struct conversion_options){.cpu_ns = 10});
    struct row *r = row_new(c, 2);
    struct chunk_builder good = some_chunk(1), bad = some_chunk(1);
    struct err err = {0};
    memset((uint8_t *)bad.b.p + JFR_HEADER_SIZE, 0xff, 16);
    row_add(r, &(struct row_item){.kind = ROW_CHUNK, .chunk = buf_slice(&bad.b)});
    row_add(r, &(struct row_item){.kind = ROW_CHUNK, .chunk = buf_slice(&good.b)});
    CHECK_INT(row_convert(r, &err), -EBADMSG);
    CHECK(err.text[0] != '\0');
    row_remove(r, 0);
    CHECK_INT(row_convert(r, &err), 0);
    CHECK_INT(samples(c), 1);
    row_free(r);
    chunk_done(&good);
    chunk_done(&bad);
    conversion_free(c);
}

static void one_job_reads_nothing_ahead(void)
{
    struct conversion *c = conversion_new(&(struct conversion_options){.cpu_ns = 10});
    struct row *r = row_new(c, 1);
    CHECK(!row_reads_ahead(r));
    CHECK(!row_is_full(r));
    row_add(r, &(struct row_item){.kind = ROW_CHUNK});
    CHECK(row_is_full(r));
    row_free(r);
    conversion_free(c);
    CHECK(row_jobs_default() >= 1 && row_jobs_default() <= ROW_JOBS_MAX);
}

int main(void)
{
    RUN(what_is_in_the_row_comes_in_order);
    RUN(every_chunk_counts_once_whoever_converts_it);
    RUN(a_refused_chunk_says_why_and_the_next_one_is_taken);
    RUN(one_job_reads_nothing_ahead);
    return REPORT();
}
