#include "components/all.h"

#include <stddef.h>

#include "components/discovery_process.h"
#include "components/discovery_relabel.h"
#include "components/pyroscope_java.h"
#include "components/pyroscope_write.h"

const struct component_def *const all_components[] = {
    &discovery_process, &discovery_relabel, &pyroscope_java, &pyroscope_write, NULL,
};
