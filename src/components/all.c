#include "components/all.h"

#include <stddef.h>

#include "components/discovery_process.h"
#include "components/discovery_relabel.h"
#include "components/import_file.h"
#include "components/import_http.h"
#include "components/import_string.h"
#include "components/pyroscope_java.h"
#include "components/pyroscope_write.h"

const struct component_def *const all_components[] = {
    &discovery_process, &discovery_relabel, &import_file,     &import_http,
    &import_string,     &pyroscope_java,    &pyroscope_write, NULL,
};
