/* pyroscope.ebpf: parsed and checked as Alloy does, and not run: this program has no eBPF profiler.
 *
 * So a configuration for a mixed fleet loads, and what depends on nothing else keeps working. The component stays
 * healthy, as there is nothing an operator could mend; its message, a warning at every start, and the debug
 * information say that nothing is collected.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "flow/receiver.h"
#include "flow/targets.h"
#include "graph/component.h"

struct ebpf_debug_info_args {
    bool on_target_symbolization, upload, strip_text_section;
    uint64_t cache_size, queue_size;
    int64_t worker_num;
};

struct ebpf_args {
    struct receivers forward_to;
    struct targets targets;
    int64_t collect_interval, sample_rate;
    bool python, perl, php, hotspot, ruby, v8, dotnet, go;
    bool obi_process_context, load_probe, verbose_mode, lazy_mode, no_kernel_version_check, kernel_frames, pid_label;
    bool targets_only, unsymbolized_stubs, go_table_fallback, collect_user_profile, collect_kernel_profile;
    char *demangle, *bpf_fs_root, *comm, *symb_cache_path;
    double off_cpu_threshold;
    struct string_list probe_links, u_probe_links;
    int64_t symb_cache_size, pid_cache_size, build_id_cache_size, same_file_cache_size, cache_rounds, symbols_map_size,
        pid_map_size;
    uint64_t container_id_cache_size;
    struct ebpf_debug_info_args debug_info;
};

#define DEBUG_AT(name) offsetof(struct ebpf_debug_info_args, name)
static const struct option debug_info_options[] = {
    {"on_target_symbolization", OPT_BOOL, DEBUG_AT(on_target_symbolization), .default_text = "true",
     .help = "Symbolisation on the host."},
    {"upload", OPT_BOOL, DEBUG_AT(upload), .default_text = "false", .help = "Upload of debug information."},
    {"cache_size", OPT_UINT, DEBUG_AT(cache_size), .default_text = "262144", .help = "Entries of the cache."},
    {"strip_text_section", OPT_BOOL, DEBUG_AT(strip_text_section), .default_text = "false",
     .help = "Upload without code."},
    {"queue_size", OPT_UINT, DEBUG_AT(queue_size), .default_text = "256", .help = "Uploads that may wait."},
    {"worker_num", OPT_INT, DEBUG_AT(worker_num), .default_text = "16", .help = "Concurrent uploads."},
    {0},
};
static const struct schema debug_info_schema = {.size = sizeof(struct ebpf_debug_info_args),
                                                .options = debug_info_options};

#define AT(name)   offsetof(struct ebpf_args, name)
#define DEPRECATED "Deprecated."
static const struct option options[] = {
    {"forward_to", OPT_CUSTOM, AT(forward_to), .required = true, .custom = &receivers_option,
     .help = "Receivers of the profiles."},
    {"targets", OPT_CUSTOM, AT(targets), .custom = &targets_option, .help = "Processes or containers."},
    {"collect_interval", OPT_DURATION, AT(collect_interval), .default_text = "\"15s\"",
     .help = "Interval of profiles."},
    {"sample_rate", OPT_INT, AT(sample_rate), .default_text = "19", .help = "Samples per second."},
    {"python_enabled", OPT_BOOL, AT(python), .default_text = "true", .help = "Frames of Python."},
    {"perl_enabled", OPT_BOOL, AT(perl), .default_text = "true", .help = "Frames of Perl."},
    {"php_enabled", OPT_BOOL, AT(php), .default_text = "true", .help = "Frames of PHP."},
    {"hotspot_enabled", OPT_BOOL, AT(hotspot), .default_text = "true", .help = "Frames of HotSpot."},
    {"ruby_enabled", OPT_BOOL, AT(ruby), .default_text = "true", .help = "Frames of Ruby."},
    {"v8_enabled", OPT_BOOL, AT(v8), .default_text = "true", .help = "Frames of V8."},
    {"dotnet_enabled", OPT_BOOL, AT(dotnet), .default_text = "true", .help = "Frames of .NET."},
    {"go_enabled", OPT_BOOL, AT(go), .default_text = "true", .help = "Frames of Go."},
    {"demangle", OPT_STRING, AT(demangle), .default_text = "\"none\"",
     .help = "Names of C++: `none`, `simplified`, `templates` or `full`."},
    {"off_cpu_threshold", OPT_FLOAT, AT(off_cpu_threshold), .default_text = "0",
     .help = "Probability, from 0 to 1, of an off-CPU event."},
    {"bpf_fs_root", OPT_STRING, AT(bpf_fs_root), .default_text = "\"/sys/fs/bpf/\"", .help = "BPF file system."},
    {"obi_process_context_enabled", OPT_BOOL, AT(obi_process_context), .default_text = "true",
     .help = "Correlation with traces."},
    {"load_probe", OPT_BOOL, AT(load_probe), .default_text = "false", .help = "Loads a generic probe."},
    {"probe_links", OPT_STRING_LIST, AT(probe_links), .help = "Probes to collect stacks from."},
    {"verbose_mode", OPT_BOOL, AT(verbose_mode), .default_text = "false", .help = "Verbose logging."},
    {"lazy_mode", OPT_BOOL, AT(lazy_mode), .default_text = "false", .help = "Starts with the first target."},
    {"no_kernel_version_check", OPT_BOOL, AT(no_kernel_version_check), .default_text = "false",
     .help = "Skips the check of the kernel."},
    {"pid_label", OPT_BOOL, AT(pid_label), .default_text = "false", .help = "Label `pid` of samples."},
    {"comm", OPT_STRING, AT(comm), .default_text = "\"none\"",
     .help = "Name of the process: `none`, `label`, `stackframe` or `both`."},
    {"kernel_frames", OPT_BOOL, AT(kernel_frames), .default_text = "true", .help = "Frames of the kernel."},
    {"targets_only", OPT_BOOL, AT(targets_only), .default_text = "true", .help = "Only the targets."},
    {"symb_cache_path", OPT_STRING, AT(symb_cache_path), .default_text = "\"/tmp/symb-cache\"",
     .help = "Directory of the cache of symbols."},
    {"symb_cache_size", OPT_INT, AT(symb_cache_size), .default_text = "2048", .help = "Entries of that cache."},
    {"reporter_unsymbolized_stubs", OPT_BOOL, AT(unsymbolized_stubs), .default_text = "false",
     .help = "Stubs for frames without symbol."},
    {"pid_cache_size", OPT_INT, AT(pid_cache_size), .default_text = "0", .help = DEPRECATED},
    {"build_id_cache_size", OPT_INT, AT(build_id_cache_size), .default_text = "0", .help = DEPRECATED},
    {"same_file_cache_size", OPT_INT, AT(same_file_cache_size), .default_text = "0", .help = DEPRECATED},
    {"cache_rounds", OPT_INT, AT(cache_rounds), .default_text = "0", .help = DEPRECATED},
    {"go_table_fallback", OPT_BOOL, AT(go_table_fallback), .default_text = "false", .help = DEPRECATED},
    {"symbols_map_size", OPT_INT, AT(symbols_map_size), .default_text = "0", .help = DEPRECATED},
    {"pid_map_size", OPT_INT, AT(pid_map_size), .default_text = "0", .help = DEPRECATED},
    {"collect_user_profile", OPT_BOOL, AT(collect_user_profile), .default_text = "false", .help = DEPRECATED},
    {"collect_kernel_profile", OPT_BOOL, AT(collect_kernel_profile), .default_text = "false", .help = DEPRECATED},
    {"container_id_cache_size", OPT_UINT, AT(container_id_cache_size), .default_text = "0", .help = DEPRECATED},
    {"u_probe_links", OPT_STRING_LIST, AT(u_probe_links), .help = "Deprecated: `probe_links`."},
    {"debug_info", OPT_BLOCK, AT(debug_info), .block = &debug_info_schema, .help = "Debug information."},
    {0},
};

static int ebpf_check_args(const void *record, struct err *err)
{
    static const char *const modes[] = {"", "none", "label", "stackframe", "both", NULL};
    const struct ebpf_args *a = record;
    for (const char *const *mode = modes; *mode; mode++)
        if (strcmp(a->comm, *mode) == 0)
            return 0;
    return err_set(err, -EINVAL,
                   "invalid comm mode \"%s\", valid values are: \"none\", \"label\", \"stackframe\", \"both\"",
                   a->comm);
}
static const struct schema schema = {.size = sizeof(struct ebpf_args), .options = options, .validate = ebpf_check_args};

#define NOT_RUN "not run: smolder has no eBPF profiler; nothing is collected"

struct ebpf {
    struct component *self;
};

static void ebpf_tell(const struct ebpf *e)
{
    log_warn(NOT_RUN, L_COMPONENT(component_id(e->self)));
    component_health(e->self, true, "%s", NOT_RUN);
}

static int ebpf_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    (void)args, (void)err;
    struct ebpf *e = xcalloc(1, sizeof *e);
    e->self = self;
    *ret_state = e;
    return 0;
}

static int ebpf_update(void *state, const void *args, struct err *err)
{
    (void)state, (void)args, (void)err;
    return 0;
}

static void ebpf_start(void *state)
{
    ebpf_tell(state);
}

static struct value *ebpf_debug_info(void *state)
{
    (void)state;
    struct value *o = value_object();
    value_object_put(o, STR("state"), value_string(STR(NOT_RUN)));
    return o;
}

static bool ebpf_reads_label(const void *args, struct str name)
{
    (void)args, (void)name;
    return false;
}

static const char *const no_exports[] = {NULL};

const struct component_def pyroscope_ebpf = {
    .name = "pyroscope.ebpf",
    .help = "Accepted and checked, but not run: eBPF profiles of the host are not collected.",
    .stability = STABILITY_GA,
    .args = &schema,
    .exports = no_exports,
    .build = ebpf_build,
    .update = ebpf_update,
    .start = ebpf_start,
    .free = free,
    .debug_info = ebpf_debug_info,
    .reads_label = ebpf_reads_label,
};
