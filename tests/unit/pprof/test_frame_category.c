#include "pprof/frame_category.h"

#include "pprof/view_maker.h"

static void a_stack_is_about_what_its_frames_say(void)
{
    static const struct {
        struct view_stack stack;
        const char *want;
    } cases[] = {
        {{{"libjvm.so.PhaseChaitin::build_ifg_physical", "libjvm.so.CompileBroker::compiler_thread_loop"},
          {0},
          1,
          NULL},
         "jit compiler"},
        {{{"libjvm.so.G1ParScanThreadState::trim_queue", "libjvm.so.WorkerThread::run", "libc.so.6.start_thread"},
          {0},
          1,
          NULL},
         "gc"},
        {{{"libc.so.6.memcpy", "java/lang/ClassLoader.defineClass1_[0]", "java/lang/ClassLoader.loadClass_[i]"},
          {0},
          1,
          NULL},
         "class loading"},
        {{{"java/lang/ClassLoader.loadClass", "java/lang/invoke/MethodHandleNatives.linkCallSite"}, {0}, 1, NULL},
         "lambda linkage"},
        {{{"kernel.do_syscall_64", "libc.so.6.read", "shop/Main.main"}, {0}, 1, NULL}, "kernel"},
        {{{"do_syscall_64_[k]"}, {0}, 1, NULL}, "kernel"},
        {{{"libc.so.6.read", "shop/Main.main"}, {0}, 1, NULL}, "native"},
        {{{"libzstd.so.1.5.2.ZSTD_compress"}, {0}, 1, NULL}, "native"},
        {{{"start_thread"}, {0}, 1, NULL}, "native"},
        {{{"libjvm.so.ObjectMonitor::enter", "shop/Main.main"}, {0}, 1, NULL}, "jvm"},
        {{{"ObjectMonitor::enter"}, {0}, 1, NULL}, "jvm"},
        {{{"shop/Main.main"}, {0}, 1, NULL}, "java"},
        {{{"shop/Main.main_[j]"}, {0}, 1, NULL}, "compiled"},
        {{{"shop/Main.main_[i]"}, {0}, 1, NULL}, "compiled"},
        {{{"shop/Main.main_[0]"}, {0}, 1, NULL}, "interpreted"},
        {{{"shop/Main.main_[1]"}, {0}, 1, NULL}, "compiled by C1"},
    };
    cleanup_symbols struct symbols s;
    symbols_init(&s, 1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_STR(frame_category(&s, view_stack_number(&s, &cases[i].stack)), cases[i].want);
    CHECK_STR(frame_category(&s, symbols_stack(&s, NULL, 0)), "native");
}

int main(void)
{
    RUN(a_stack_is_about_what_its_frames_say);
    return REPORT();
}
