/* The counters of a JVM, which its user may have written: what is found lies within them, and what is read from it has
 * an end. */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "jvm/probe/perfdata.h"
#include "jvm/probe/vm_flags.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_up(struct str bytes, const char *name)
{
    struct str found = {0};
    struct vm_flags options = {0};
    if (!perfdata_string(bytes, name, &found) || found.n == 0)
        return;
    if (found.p < bytes.p || found.p + found.n > bytes.p + bytes.n || memchr(found.p, '\0', found.n))
        abort();
    vm_flags_apply_text(&options, found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"sun.rt.jvmCapabilities", "java.rt.vmArgs", "java.rt.vmFlags",
                                        "sun.rt.javaCommand"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        look_up((struct str){(const char *)data, size}, names[i]);
    return 0;
}
