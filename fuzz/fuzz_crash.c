/* What is left of a crashed JVM: its error report, and records of the kernel log. What is kept of them is printable and
 * short, and the kernel's records name no process but the one they are about. */
#include <stdint.h>
#include <stdlib.h>

#include "jvm/probe/hs_err.h"
#include "jvm/probe/kernel_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t size)
{
    const size_t n = strnlen(text, size);
    if (n == size)
        abort();
    for (size_t i = 0; i < n; i++)
        if (text[i] < ' ' || text[i] > '~')
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str text = {(const char *)data, size};
    struct hs_err report;
    struct kernel_death one = {0}, other = {0};
    if (hs_err_parse(text, &report)) {
        check_text(report.signal, sizeof report.signal);
        check_text(report.frame, sizeof report.frame);
        if (report.pid < 0)
            abort();
    }
    kernel_log_record(text, 77, 0, &one);
    kernel_log_record(text, 78, 0, &other);
    if ((one.oom && other.oom) || (one.fault && other.fault))
        abort();
    return 0;
}
