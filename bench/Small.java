import java.util.HashMap;
import java.util.Map;

/** A JVM with little to do: some milliseconds of CPU time, allocations and a contended lock per second. */
public final class Small {
    private static final Object lock = new Object();
    private static final Map<String, Integer> words = new HashMap<>();

    public static void main(String[] args) throws InterruptedException {
        new Thread(Small::holdLock, "holder").start();
        for (long round = 0; ; round++) {
            serve(round);
            Thread.sleep(200);
        }
    }

    /** About a millisecond, in one of several call paths. */
    private static void serve(long round) {
        long end = System.nanoTime() + 1_000_000;
        do {
            if (round % 2 == 0) {
                count("shop", round);
            } else {
                count("order", round);
            }
        } while (System.nanoTime() < end);
        if (round % 5 == 0) {
            synchronized (lock) {
                words.clear();
            }
        }
    }

    private static void count(String word, long round) {
        words.merge(word + round % 100, word.concat("s").hashCode(), Integer::sum);
    }

    private static void holdLock() {
        while (true) {
            try {
                synchronized (lock) {
                    Thread.sleep(100);
                }
                Thread.sleep(400);
            } catch (InterruptedException e) {
                return;
            }
        }
    }
}
