/* What a process answers to `load`, be it a JVM or not: a result, or a message of one line. */
#include <stdint.h>
#include <stdlib.h>

#include "jvm/attach/attach.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jvm_load_reply said;
    jvm_attach_parse_load((struct str){(const char *)data, size}, &said);
    if (said.loaded != !said.message[0])
        abort();
    for (size_t i = 0; i < sizeof said.message && said.message[i]; i++)
        if ((unsigned char)said.message[i] < ' ' || i == sizeof said.message - 1)
            abort();
    return 0;
}
