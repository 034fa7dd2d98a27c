/* The side of a conversion that parses foreign bytes: requests in, replies out (convert/message.h), and nothing else.
 *
 * It opens no file, asks no clock but that of its own CPU time, calls nobody and remembers nothing beyond the
 * interval that is open. One thread at a time; two services know nothing of each other. Today the threads of the
 * loop's pool run it; what it needs from the kernel is memory and clock_gettime(2), so that a process with no rights
 * at all can.
 *
 *     struct convert_service *s = convert_service_new();
 *     convert_serve(s, &open, known_series, &answer), convert_answer_done(&answer);
 *     convert_serve(s, &chunk, bytes, &answer), convert_answer_done(&answer);     as often as there are chunks
 *     convert_serve(s, &finish, NULL, &answer);                                   the profiles are in the answer
 */
#pragma once

#include "convert/message.h"

struct convert_service;

struct convert_service *convert_service_new(void);
void convert_service_free(struct convert_service *s); /* an open interval is given up; NULL is fine */

/* A reply in the memory of who asked, with its ranges. */
struct convert_answer {
    struct convert_reply reply;
    struct convert_profile *profiles; /* reply.profile_count; owned, as are the next two */
    uint8_t **bytes;                  /* of each profile; TAKE_PTR moves them out */
    uint64_t *series;                 /* reply.series_count: those not known before */
};
void convert_answer_done(struct convert_answer *a);

/* Answers one request; its range, rq->size bytes, is lent. Always answers: what cannot be done is reply.code. */
void convert_serve(struct convert_service *s, const struct convert_request *rq, const void *range,
                   struct convert_answer *ret);
