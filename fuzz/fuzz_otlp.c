/* Profiles of OpenTelemetry: the first byte says how they are encoded. */
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "pyroscope/otlp_body.h"

enum { ANSWER_MAX = 4 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct err err = {0};
    struct otlp_body how;
    memset(&how, 0, sizeof how);
    how.json = data[0] & 1;
    how.gzip = data[0] & 2;
    how.now_ns = INT64_C(1700000000000000000);
    cleanup_buf struct buf out = BUF_INIT(ANSWER_MAX);
    const struct parser_item item = {{(const char *)&how, sizeof how}, {(const char *)data + 1, size - 1}};
    (void)!otlp_body_service.serve(&item, 1, &out, &err);
    return 0;
}
