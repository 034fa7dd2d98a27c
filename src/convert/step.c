#include "convert/step.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static int step_check(const struct convert_answer *a, const struct convert_options *o, struct err *err)
{
    int code = convert_reply_check(&a->reply, o, err);
    for (uint32_t i = 0; code == 0 && i < a->reply.profile_count; i++)
        code = convert_profile_check(&a->profiles[i], o, err);
    return code;
}

/* One request; its answer, if it can be believed, takes the place of the one before. */
static int step_ask(struct convert_step *step, struct convert_service *s, const struct convert_request *rq,
                    const void *range)
{
    struct convert_answer a;
    struct err err = {0};
    convert_serve(s, rq, range, &a);
    int code = step_check(&a, &step->options, &err);
    if (code < 0) {
        memcpy(step->why, err.text, sizeof step->why);
        convert_answer_done(&a);
        return code;
    }
    if (a.reply.code < 0)
        memcpy(step->why, a.reply.why, sizeof step->why);
    step->cpu_ns += a.reply.cpu_ns;
    convert_answer_done(&step->answer);
    step->answer = a;
    step->answered = true;
    return a.reply.code;
}

static int step_open(struct convert_step *step, struct convert_service *s)
{
    const struct convert_request rq = {
        .op = CONVERT_OPEN, .size = step->series_count * sizeof *step->series, .open = step->options};
    const int code = step_ask(step, s, &rq, step->series);
    free(TAKE_PTR(step->series));
    step->series_count = 0;
    return code;
}

static int step_add(struct convert_step *step, struct convert_service *s)
{
    const struct convert_request rq = {
        .op = CONVERT_CHUNK,
        .size = step->chunk->len,
        .chunk = {.received_ns = step->received_ns, .itimer_scale = step->chunk->itimer_scale}};
    const int code = step_ask(step, s, &rq, step->chunk->bytes);
    /* Before the profiles are made: then most memory is needed. */
    jfr_chunk_unref(TAKE_PTR(step->chunk));
    return code;
}

void convert_step_run(struct convert_step *step, struct convert_service *s)
{
    const int open = step->open ? step_open(step, s) : 0;
    if (step->chunk && step->chunk->bytes)
        step->chunk_code = open < 0 ? open : step_add(step, s);
    if (step->finish) {
        const struct convert_request rq = {.op = CONVERT_FINISH};
        step->finish_code = open < 0 ? open : step_ask(step, s, &rq, NULL);
    }
    /* A service that was started anew knows of no interval. */
    step->is_open = !step->finish && open == 0 && step->chunk_code != -EPROTO;
}

void convert_step_done(struct convert_step *step)
{
    free(TAKE_PTR(step->series));
    jfr_chunk_unref(TAKE_PTR(step->chunk));
    convert_answer_done(&step->answer);
}
