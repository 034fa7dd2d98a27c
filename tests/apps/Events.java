import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.ReentrantLock;

/** Does a little of everything that a profiler has an event for, until it is ended, or for a minute. */
public class Events {
    static volatile long sink;
    static volatile Object kept;
    static final List<Object> held = new ArrayList<>();
    static final List<ByteBuffer> leaked = new ArrayList<>();
    static final Object monitor = new Object();
    static final ReentrantLock lock = new ReentrantLock();

    interface Work {
        void run();
    }

    static void compute() {
        long x = 1;
        for (int i = 0; i < 2_000_000; i++) x = x * 31 ^ i;
        sink = x;
    }

    static void traced() {
        compute();
    }

    static void allocate() {
        for (int i = 0; i < 300; i++) kept = new byte[8192];
        kept = new Events[1 << 20];
        held.add(new byte[16 << 10]);
        if (held.size() > 500) held.clear();
    }

    static void allocateNative() {
        leaked.add(ByteBuffer.allocateDirect(4096));
        if (leaked.size() > 1000) leaked.clear();
        ByteBuffer.allocateDirect(16 << 10);
    }

    static void enterMonitor() throws InterruptedException {
        synchronized (monitor) {
            Thread.sleep(15);
        }
        Thread.sleep(2); // a monitor is not fair: let the other one in
    }

    static void takeLock() throws InterruptedException {
        lock.lock();
        try {
            Thread.sleep(15);
        } finally {
            lock.unlock();
        }
    }

    static int depth(int n) {
        if (n == 0) compute();
        return n == 0 ? 0 : depth(n - 1) + 1;
    }

    interface Task {
        void run() throws Exception;
    }

    static void forever(ExecutorService pool, Task task) {
        pool.submit(() -> {
            while (true) task.run();
        });
    }

    static void span(String tag, Work work) {
        long start = one.profiler.Recording.start();
        work.run();
        one.profiler.Recording.end(start, tag);
    }

    public static void main(String[] args) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(4);
        for (int i = 0; i < 2; i++) {
            forever(pool, Events::enterMonitor);
            forever(pool, Events::takeLock);
        }
        InvocationHandler handler = (proxy, method, a) -> {
            compute();
            return null;
        };
        Work proxied = (Work) Proxy.newProxyInstance(
            Events.class.getClassLoader(), new Class<?>[] {Work.class}, handler);
        ServerSocket nobody = new ServerSocket(0);
        forever(Executors.newSingleThreadExecutor(), nobody::accept);
        System.out.println("ready");
        long end = System.nanoTime() + 60_000_000_000L;
        while (System.nanoTime() < end) {
            span("order", Events::traced);
            proxied.run();
            depth(100);
            span("stock", Events::allocate);
            allocateNative();
            Thread.sleep(20);
        }
        System.exit(0);
    }
}
