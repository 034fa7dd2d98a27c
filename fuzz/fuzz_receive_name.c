/* The `name` parameter of /ingest. */
#include "pyroscope/ingest_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct labels *labels = NULL;
    struct err err;
    if (ingest_name_parse((struct str){(const char *)data, n}, &labels, &err) == 0)
        labels_unref(labels);
    return 0;
}
