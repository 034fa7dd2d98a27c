#include "pprof/frame_category.h"

#include "base/cleanup.h"
#include "pprof/view_names.h"

/* A frame that settles it, wherever it is; the first row that any frame meets wins. A text that ends with '*' is the
 * beginning of a name, behind the library of a native frame. */
static const struct {
    const char *category, *frame;
} category_rows[] = {
    {"jit compiler", "CompileBroker::compiler_thread_loop"},
    {"jit compiler", "Compiler::compile_method"},
    {"jit compiler", "C2Compiler::compile_method"},
    {"gc", "GCTaskThread::run"},
    {"gc", "WorkerThread::run"},
    {"gc", "GangWorker::*"},
    {"gc", "ConcurrentGCThread::run"},
    {"gc", "ConcurrentMarkThread::*"},
    {"gc", "ConcurrentMarkSweepThread::*"},
    {"gc", "G1ConcurrentMarkThread::*"},
    {"gc", "G1ConcurrentRefineThread::*"},
    {"gc", "G1ServiceThread::*"},
    {"gc", "ZThread::run*"},
    {"gc", "ZDriver*"},
    {"gc", "ShenandoahControlThread::*"},
    {"gc", "CollectedHeap::collect*"},
    {"gc", "VM_GC_Operation::*"},
    {"gc", "VM_G1*"},
    {"gc", "VM_ParallelGC*"},
    {"gc", "VM_GenCollect*"},
    {"gc", "VM_X*"},
    {"gc", "VM_Z*"},
    {"lambda linkage", "java/lang/invoke/MethodHandleNatives.linkCallSite"},
    {"lambda linkage", "java/lang/invoke/MethodHandleNatives.linkDynamicConstant"},
    {"lambda linkage", "java/lang/invoke/MethodHandleNatives.linkMethod"},
    {"lambda linkage", "sun/misc/Unsafe.defineAnonymousClass"},
    {"class loading", "java/lang/ClassLoader.loadClass"},
    {"class loading", "java/lang/ClassLoader.defineClass*"},
    {"class loading", "java/lang/Class.forName*"},
    {"class loading", "jdk/internal/loader/*"},
    {"class loading", "SystemDictionary::load*"},
    {"class loading", "SystemDictionary::resolve*"},
    {"class loading", "Verifier::verify"},
    {"class loading", "ClassVerifier::*"},
    {"class loading", "Rewriter::*"},
    {"class loading", "InstanceKlass::link*"},
    {"class loading", "InstanceKlass::initialize*"},
    {"class loading", "LinkResolver::*"},
};

static struct str category_library(struct str name, struct str *function)
{
    const char *const so = name.n ? memmem(name.p, name.n, ".so", 3) : NULL;
    const char *end = so ? so + 3 : NULL;
    /* "libc.so.6.read": numbers of the version, then the function */
    while (end && end + 1 < name.p + name.n && *end == '.' && end[1] >= '0' && end[1] <= '9')
        end = memchr(end + 1, '.', (size_t)(name.p + name.n - end - 1));
    *function = name;
    if (!end || end >= name.p + name.n || *end != '.')
        return STR("");
    *function = (struct str){end + 1, name.n - (size_t)(end + 1 - name.p)};
    return (struct str){name.p, (size_t)(end - name.p)};
}

static bool category_row_meets(const char *frame, struct str function)
{
    const size_t n = strlen(frame);
    return frame[n - 1] == '*' ? str_has_prefix(function, (struct str){frame, n - 1}) : str_is(function, frame);
}

static const char *category_of_type(struct str type)
{
    static const struct {
        const char *type, *category;
    } types[] = {{"_[j]", "compiled"},
                 {"_[i]", "compiled"},
                 {"_[0]", "interpreted"},
                 {"_[1]", "compiled by C1"},
                 {"_[k]", "kernel"}};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (str_is(type, types[i].type))
            return types[i].category;
    }
    return NULL;
}

static const char *category_of_leaf(struct str name)
{
    struct str type, function;
    name = view_name_split(name, &type);
    const char *typed = category_of_type(type);
    if (typed)
        return typed;
    const struct str library = category_library(name, &function);
    if (str_has_prefix(name, STR("kernel.")))
        return "kernel";
    if (str_has_prefix(library, STR("libjvm")) || (!library.n && memmem(name.p, name.n, "::", 2)))
        return "jvm";
    if (library.n || !memchr(name.p, '.', name.n))
        return "native";
    return "java";
}

const char *frame_category(const struct symbols *s, uint32_t stack)
{
    const struct pprof_stack *frames = &s->stacks[stack];
    size_t best = ARRAY_LEN(category_rows);
    for (uint32_t i = 0; i < frames->count; i++) {
        struct str type, function;
        (void)category_library(view_name_split(symbols_name(s, frames->locations[i]), &type), &function);
        for (size_t k = 0; k < best; k++) {
            if (category_row_meets(category_rows[k].frame, function))
                best = k;
        }
    }
    if (best < ARRAY_LEN(category_rows))
        return category_rows[best].category;
    const struct str leaf = frames->count ? symbols_name(s, frames->locations[0]) : STR("");
    return leaf.n ? category_of_leaf(leaf) : "native";
}

const char *frame_kind(struct str name)
{
    const char *const category = category_of_leaf(name);
    if (strcmp(category, "kernel") == 0)
        return category;
    return strcmp(category, "native") == 0 || strcmp(category, "jvm") == 0 ? "native" : "jvm";
}
