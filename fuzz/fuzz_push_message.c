/* PushRequest from anybody who reaches the port: protobuf, and the same bytes as JSON. */
#include <stdint.h>

#include "pyroscope/push_json.h"
#include "pyroscope/push_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = {(const char *)data, size};
    struct push_message m = PUSH_MESSAGE_INIT;
    struct err err = {0};
    (void)!push_message_decode(&m, body, &err);
    push_message_done(&m);
    (void)!push_json_decode(&m, body, &err);
    push_message_done(&m);
    return 0;
}
