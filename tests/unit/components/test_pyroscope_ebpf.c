#include "base/buf.h"
#include "base/log.h"
#include "components/forward_fixture.h"

extern const struct component_def pyroscope_ebpf;

#define ALL                                                                                                            \
    "forward_to = []\ntargets = [{\"__process_pid__\" = \"1\"}]\ncollect_interval = \"1s\"\nsample_rate = 97\n"        \
    "python_enabled = false\nperl_enabled = false\nphp_enabled = false\nhotspot_enabled = false\n"                     \
    "ruby_enabled = false\nv8_enabled = false\ndotnet_enabled = false\ngo_enabled = false\ndemangle = \"full\"\n"      \
    "off_cpu_threshold = 0.5\nbpf_fs_root = \"/x\"\nobi_process_context_enabled = false\nload_probe = true\n"          \
    "probe_links = [\"a\"]\nverbose_mode = true\nlazy_mode = true\nno_kernel_version_check = true\n"                   \
    "pid_label = true\ncomm = \"both\"\nkernel_frames = false\ntargets_only = false\nsymb_cache_path = \"/y\"\n"       \
    "symb_cache_size = 1\nreporter_unsymbolized_stubs = true\npid_cache_size = 1\nbuild_id_cache_size = 1\n"           \
    "same_file_cache_size = 1\ncache_rounds = 1\ngo_table_fallback = true\nsymbols_map_size = 1\npid_map_size = 1\n"   \
    "collect_user_profile = true\ncollect_kernel_profile = true\ncontainer_id_cache_size = 1\n"                        \
    "u_probe_links = [\"b\"]\ndebug_info {\n on_target_symbolization = false\n upload = true\n cache_size = 1\n"       \
    " strip_text_section = true\n queue_size = 1\n worker_num = 1\n}\n"

static void it_loads_and_says_that_it_is_not_run(void)
{
    struct controller *c = forward_begin(&pyroscope_ebpf);
    struct buf logged = BUF_INIT(4096);
    log_capture(&logged);
    LOAD(c, "pyroscope.ebpf \"host\" {\n" ALL "}\n", "");
    log_capture(NULL);
    CHECK_HAS(buf_cstr(&logged), "not run: smolder has no eBPF profiler");
    buf_done(&logged);
    struct component_view view;
    CHECK(controller_view(c, "pyroscope.ebpf.host", &view));
    CHECK_INT(view.health, HEALTH_HEALTHY);
    CHECK_HAS(view.message, "not run");
    CHECK_HAS(debug_member(c, "pyroscope.ebpf.host", "state"), "nothing is collected");
    LOAD(c, "pyroscope.ebpf \"host\" {\n forward_to = []\n}\n", "");
    forward_end(c);
}

static void mistakes_are_found(void)
{
    struct controller *c = forward_begin(&pyroscope_ebpf);
#define FAILS "f:1:1: Failed to build component: decoding configuration: "
    LOAD(c, "pyroscope.ebpf \"host\" { }\n", FAILS "missing required attribute \"forward_to\"");
    LOAD(c, "pyroscope.ebpf \"host\" {\n forward_to = []\n comm = \"no\"\n}\n",
         FAILS "invalid comm mode \"no\", valid values are: \"none\", \"label\", \"stackframe\", \"both\"");
    forward_end(c);
}

int main(void)
{
    RUN(it_loads_and_says_that_it_is_not_run);
    RUN(mistakes_are_found);
    return REPORT();
}
