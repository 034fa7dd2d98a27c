#include "cli/builtin.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "lang/quote.h"

static const char text[] =
    "pyroscope.write \"store\" {\n  endpoint {\n    url = \"%s\"\n%s  }\n}\n\ndiscovery.process \"all\" {\n  "
    "discover_config {\n    java = true\n  }\n}\n\n// JVMs are detected by their mapped libjvm.so, whatever the "
    "executable is called.\ndiscovery.relabel \"jvms\" {\n  targets = discovery.process.all.targets\n  rule {\n    "
    "action        = \"keep\"\n    source_labels = [\"__meta_process_java_vm\"]\n    regex         = "
    "\"hotspot|openj9\"\n  "
    "}\n  rule {\n    source_labels = [\"__meta_process_java_main\"]\n    regex         = \"(.+)\"\n    target_label  "
    "= \"service_name\"\n  }\n}\n\npyroscope.java \"jvms\" {\n  targets    = discovery.relabel.jvms.output\n  "
    "forward_to = [pyroscope.write.store.receiver]\n  profiling_config {\n    interval = \"15s\"\n  }\n}\n";

char *builtin_config(const char *store_url, const char *token_file)
{
    cleanup_buf struct buf token = BUF_INIT(1 << 16);
    if (token_file) {
        buf_puts(&token, "    bearer_token_file = ");
        quote_print(str_of(token_file), &token);
        buf_byte(&token, '\n');
    }
    return xasprintf(text, store_url, buf_cstr(&token));
}
