/* Pushes go into the store. */
#include "api/store_http_internal.h"
#include "pyroscope/push_server.h"

static void on_stored(void *arg, enum store_result result, const struct err *err)
{
    struct push_request *push = arg;
    switch (result) {
    case STORE_OK:
        push_server_accept(push);
        break;
    case STORE_INVALID:
        push_server_refuse(push, CONNECT_INVALID_ARGUMENT, err->text);
        break;
    case STORE_BUSY:
        push_server_postpone(push, err->text);
        break;
    case STORE_DAMAGED:
        push_server_refuse(push, CONNECT_DATA_LOSS, err->text);
        break;
    case STORE_FAILED:
        push_server_refuse(push, CONNECT_INTERNAL, err->text);
        break;
    }
}

void store_http_receive(void *ctx, struct push_request *push, const struct push_delivery *d)
{
    struct store_http *http = ctx;
    if (store_push(http->store, d->series, d->count, d->bytes, on_stored, push) < 0)
        push_server_postpone(push, "the store's queue is full");
}

void store_http_push(void *ctx, struct request *rq)
{
    struct store_http *http = ctx;
    push_server_handle(http->pushes, rq);
}
