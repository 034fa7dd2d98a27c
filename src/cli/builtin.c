#include "cli/builtin.h"

#include "base/mem.h"

static const char text[] =
    "pyroscope.write \"store\" {\n  endpoint {\n    url = \"%s\"\n  }\n}\n\ndiscovery.process \"all\" {\n  "
    "discover_config {\n    java = true\n  }\n}\n\n// JVMs are detected by their mapped libjvm.so, whatever the "
    "executable is called.\ndiscovery.relabel \"jvms\" {\n  targets = discovery.process.all.targets\n  rule {\n    "
    "action        = \"keep\"\n    source_labels = [\"__meta_process_java_vm\"]\n    regex         = "
    "\"hotspot|openj9\"\n  "
    "}\n  rule {\n    source_labels = [\"__meta_process_java_main\"]\n    regex         = \"(.+)\"\n    target_label  "
    "= \"service_name\"\n  }\n}\n\npyroscope.java \"jvms\" {\n  targets    = discovery.relabel.jvms.output\n  "
    "forward_to = [pyroscope.write.store.receiver]\n  profiling_config {\n    interval = \"15s\"\n  }\n}\n";

char *builtin_config(const char *store_url)
{
    return xasprintf(text, store_url);
}
