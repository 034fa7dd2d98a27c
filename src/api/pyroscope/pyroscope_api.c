#include "api/pyroscope/pyroscope_api.h"

static void pyroscope_api_on_stored(void *arg, enum store_result result, const struct err *err)
{
    struct push_request *push = arg;
    switch (result) {
    case STORE_OK:
        push_server_accept(push);
        break;
    case STORE_INVALID:
        push_server_refuse(push, CONNECT_INVALID_ARGUMENT, err->text);
        break;
    case STORE_SET_ASIDE:
        push_server_set_aside(push, err->text);
        break;
    case STORE_BUSY:
    case STORE_DAMAGED:
        push_server_postpone(push, err->text);
        break;
    case STORE_FAILED:
        push_server_refuse(push, CONNECT_INTERNAL, err->text);
        break;
    }
}

static void pyroscope_api_receive(void *ctx, struct push_request *push, const struct push_delivery *d)
{
    struct store *store = ctx;
    if (store_push(store, d->series, d->count, d->bytes, pyroscope_api_on_stored, push) < 0)
        push_server_postpone(push, "the store's queue is full");
}

struct push_server *pyroscope_api_pushes(struct push_server_options options, struct store *store)
{
    options.receive = pyroscope_api_receive;
    options.ctx = store;
    return push_server_new(&options);
}

void pyroscope_api_ready(struct request *rq)
{
    request_reply_text(rq, 200, "ready\n");
}
