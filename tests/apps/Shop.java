import java.util.concurrent.locks.ReentrantLock;

/**
 * What the tests profile: every kind of event has one method that must show up.
 *
 * <pre>java Shop [CORES]    CORES is how much of a core bake() uses, 0.3</pre>
 *
 * Prints "ready" once all threads run, then nothing more.
 */
public final class Shop {
    private static final long SLICE_NANOS = 20_000_000;
    private static final Object vault = new Object();
    private static final ReentrantLock turnstile = new ReentrantLock();
    static volatile long sink;
    static volatile Object parcel;

    private Shop() {
    }

    public static void main(String[] args) {
        double cores = args.length > 0 ? Double.parseDouble(args[0]) : 0.3;
        start("baker", () -> work(cores));
        start("packer", Shop::pack);
        for (int i = 1; i <= 2; i++) {
            start("guard-" + i, Shop::guard);
            start("visitor-" + i, Shop::visit);
        }
        System.out.println("ready");
    }

    private static void start(String name, Runnable body) {
        new Thread(body, name).start();
    }

    static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void work(double cores) {
        for (;;) {
            long before = System.nanoTime();
            while (System.nanoTime() - before < SLICE_NANOS) {
                bake();
            }
            if (cores < 1) {
                sleep((long) (SLICE_NANOS * (1 / cores - 1) / 1e6));
            }
        }
    }

    static void bake() {
        long x = sink;
        for (int i = 0; i < 100_000; i++) {
            x = x * 31 ^ i;
        }
        sink = x;
    }

    private static void pack() {
        for (;;) {
            for (int i = 0; i < 50; i++) {
                wrapParcel();
            }
            sleep(10);
        }
    }

    /** About 40 MB in a second. */
    static void wrapParcel() {
        parcel = new byte[8192];
    }

    private static void guard() {
        for (;;) {
            openVault();
            sleep(3);
        }
    }

    static void openVault() {
        synchronized (vault) {
            sleep(15);
        }
    }

    private static void visit() {
        for (;;) {
            passTurnstile();
            sleep(3);
        }
    }

    static void passTurnstile() {
        turnstile.lock();
        try {
            sleep(15);
        } finally {
            turnstile.unlock();
        }
    }
}
