/* A pushed profile on its way into the database: labels and pprof from anybody, plain or gzip. */
#include <stdint.h>
#include <stdlib.h>

#include "store/ingest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct db db;
    struct err err = {0};
    if (!db.handle && db_open(":memory:", &db, &err) < 0)
        abort();
    /* The first byte says how much of the rest is a label's value; what follows is the profile. */
    if (size == 0 || data[0] > size - 1)
        return 0;
    struct str value = {(const char *)data + 1, data[0]}, profile = {value.p + value.n, size - 1 - value.n};
    struct label labels[] = {{STR("__name__"), STR("process_cpu")}, {STR("service_name"), value}};
    struct series series = {labels, 2, &profile, 1};
    if (db_exec(&db, "BEGIN", &err) < 0)
        abort();
    struct ingest_context context = {.db = &db};
    (void)!ingest_push(&context, &series, 1, &err);
    if (db_exec(&db, "ROLLBACK", &err) < 0)
        abort();
    return 0;
}
