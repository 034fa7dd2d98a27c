/**
 * Burns CPU in N Java threads and does nothing else: no allocation, no lock, so that nearly all CPU time of the process
 * is in these threads.
 *
 * <pre>java -cp DIR Busy [THREADS]</pre>
 */
public final class Busy {
    private static volatile long sink;

    public static void main(String[] args) {
        int threads = args.length > 0 ? Integer.parseInt(args[0]) : 1;
        for (int i = 1; i <= threads; i++) {
            new Thread(Busy::burn, "busy-" + i).start();
        }
    }

    private static void burn() {
        for (long x = 1; ; x = step(x)) {
            sink = x;
        }
    }

    private static long step(long x) {
        for (int i = 0; i < 100_000; i++) {
            x = x * 6364136223846793005L + 1442695040888963407L;
        }
        return x;
    }
}
