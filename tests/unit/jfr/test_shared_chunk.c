#include "jfr/shared_chunk.h"

#include <pthread.h>
#include <stdlib.h>

#include "test.h"

static void lives_as_long_as_its_last_reader(void)
{
    struct jfr_chunk *c = jfr_chunk_new(memset(malloc(3), 'x', 3), 3);
    CHECK_INT(c->len, 3);
    CHECK(c->itimer_scale == 1.0);
    CHECK(!c->last_of_interval);
    struct jfr_chunk *second = jfr_chunk_ref(c);
    jfr_chunk_unref(c);
    CHECK_INT(second->bytes[2], 'x');
    jfr_chunk_unref(second);
}

static void none_is_the_end_of_an_interval_alone(void)
{
    struct jfr_chunk *c = jfr_chunk_new(NULL, 0);
    c->last_of_interval = true;
    CHECK(!c->bytes);
    jfr_chunk_unref(c);
    jfr_chunk_unref(NULL);
}

enum { ROUNDS = 20000 };

static void *read_and_give_back(void *arg)
{
    struct jfr_chunk *c = arg;
    for (int i = 0; i < ROUNDS; i++)
        jfr_chunk_unref(jfr_chunk_ref(c));
    jfr_chunk_unref(c);
    return NULL;
}

static void readers_in_other_threads_count_as_well(void)
{
    struct jfr_chunk *c = jfr_chunk_new(calloc(1, 1), 1);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, read_and_give_back, jfr_chunk_ref(c)), 0);
    for (int i = 0; i < 2; i++)
        CHECK_INT(pthread_join(threads[i], NULL), 0);
    CHECK_INT(atomic_load(&c->refs), 1);
    jfr_chunk_unref(c);
}

int main(void)
{
    RUN(lives_as_long_as_its_last_reader);
    RUN(none_is_the_end_of_an_interval_alone);
    RUN(readers_in_other_threads_count_as_well);
    return REPORT();
}
