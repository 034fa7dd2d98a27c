#include "base/byte_size.h"

#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/str.h"

bool byte_size_parse(const char *text, uint64_t *ret)
{
    static const struct {
        const char *name;
        unsigned shift;
    } units[] = {{"", 0},    {"b", 0},    {"k", 10}, {"kb", 10}, {"kib", 10}, {"m", 20},
                 {"mb", 20}, {"mib", 20}, {"g", 30}, {"gb", 30}, {"gib", 30}};
    const size_t digits = strspn(text, "0123456789");
    uint64_t n;
    if (digits == 0 || !str_to_u64((struct str){text, digits}, &n) || n > (uint64_t)1 << 32)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (strcasecmp(text + digits, units[i].name) == 0) {
            *ret = n << units[i].shift;
            return true;
        }
    return false;
}
