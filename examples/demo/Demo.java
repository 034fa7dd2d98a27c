import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Sample application with load for every profile type: CPU (image tiles, checksums, sorting), allocation (invoices) and
 * lock contention (a ledger with one slow writer and several readers).
 *
 * <pre>java -cp build/demo Demo [--threads N] [--load CORES]</pre>
 *
 * --threads is the number of busy threads (2), --load the number of cores they use in total (0.5). Prints a single
 * line.
 */
public final class Demo {
    private static final int TILE_DEPTH = 4; // 4^4 call paths through renderTile: as many distinct stacks
    private static final long SLICE_NANOS = 20_000_000;

    private final Ledger ledger = new Ledger();
    private final double loadPerThread;

    private Demo(double loadPerThread) {
        this.loadPerThread = loadPerThread;
    }

    public static void main(String[] args) {
        int threads = 2;
        double load = 0.5;
        for (int i = 0; i < args.length; i += 2) {
            if (i + 1 == args.length || !args[i].equals("--threads") && !args[i].equals("--load")) {
                System.err.println("usage: Demo [--threads N] [--load CORES]");
                System.exit(2);
            }
            if (args[i].equals("--threads")) {
                threads = Integer.parseInt(args[i + 1]);
            } else {
                load = Double.parseDouble(args[i + 1]);
            }
        }
        System.out.println("Demo is process " + ProcessHandle.current().pid() + ": " + threads + " threads use " + load
                + " of a core together. Nothing more will be printed; end it with Ctrl-C.");
        Demo demo = new Demo(Math.min(1, load / threads));
        for (int i = 1; i <= threads; i++) {
            new Thread(demo::serveCustomers, "cashier-" + i).start();
        }
        new Thread(demo::writeLedger, "ledger-writer").start();
        new Thread(demo::auditLedger, "auditor").start();
    }

    /** Works until the slice of CPU time is used up, then sleeps as long as the load asks for. */
    private void serveCustomers() {
        ThreadMXBean clock = ManagementFactory.getThreadMXBean();
        Random random = new Random(1);
        double debt = 0;
        for (long order = 0; ; order++) {
            long before = clock.getCurrentThreadCpuTime();
            while (clock.getCurrentThreadCpuTime() - before < SLICE_NANOS) {
                serveCustomer(order, random);
            }
            debt += (clock.getCurrentThreadCpuTime() - before) * (1 / loadPerThread - 1);
            debt -= sleep((long) debt);
        }
    }

    private static long sleep(long nanos) {
        if (nanos < 1_000_000) {
            return 0;
        }
        long before = System.nanoTime();
        try {
            Thread.sleep(nanos / 1_000_000);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        return System.nanoTime() - before;
    }

    private void serveCustomer(long order, Random random) {
        drawCatalogue(order);
        sortPrices(random);
        signReceipt(printInvoice(order, random));
    }

    // --- A picture, tile by tile ---

    private static double drawCatalogue(long order) {
        return renderTile(0, -2 + (order % 7) * 0.01, -1.2, 2.8);
    }

    private static double renderTile(int depth, double x, double y, double size) {
        double half = size / 2;
        return northWest(depth, x, y, half) + northEast(depth, x + half, y, half) + southWest(depth, x, y + half, half)
                + southEast(depth, x + half, y + half, half);
    }

    private static double northWest(int depth, double x, double y, double size) {
        return depth == TILE_DEPTH - 1 ? escapeTime(x, y) : renderTile(depth + 1, x, y, size);
    }

    private static double northEast(int depth, double x, double y, double size) {
        return depth == TILE_DEPTH - 1 ? escapeTime(x, y) : renderTile(depth + 1, x, y, size);
    }

    private static double southWest(int depth, double x, double y, double size) {
        return depth == TILE_DEPTH - 1 ? escapeTime(x, y) : renderTile(depth + 1, x, y, size);
    }

    private static double southEast(int depth, double x, double y, double size) {
        return depth == TILE_DEPTH - 1 ? escapeTime(x, y) : renderTile(depth + 1, x, y, size);
    }

    /** Of the Mandelbrot set, on a circle around it so that every tile costs about the same. */
    private static double escapeTime(double x, double y) {
        double a = 0;
        double b = 0;
        double angle = Math.atan2(y, x + 0.5);
        double cx = 0.2 * Math.cos(angle) - 0.1;
        double cy = 0.2 * Math.sin(angle);
        for (int i = 0; i < 4000; i++) {
            double next = a * a - b * b + cx;
            b = 2 * a * b + cy;
            a = next;
        }
        return a + b;
    }

    // --- Sorting ---

    private static void sortPrices(Random random) {
        int[] prices = random.ints(5_000).toArray();
        quickSort(prices, 0, prices.length - 1);
    }

    private static void quickSort(int[] a, int from, int to) {
        if (from >= to) {
            return;
        }
        int split = partition(a, from, to);
        quickSort(a, from, split - 1);
        quickSort(a, split + 1, to);
    }

    private static int partition(int[] a, int from, int to) {
        int pivot = a[to];
        int next = from;
        for (int i = from; i < to; i++) {
            if (a[i] < pivot) {
                swap(a, i, next++);
            }
        }
        swap(a, next, to);
        return next;
    }

    private static void swap(int[] a, int i, int j) {
        int t = a[i];
        a[i] = a[j];
        a[j] = t;
    }

    // --- Allocation ---

    private static String printInvoice(long order, Random random) {
        List<Map<String, String>> lines = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            lines.add(invoiceLine(order, random.nextInt(1000)));
        }
        StringBuilder text = new StringBuilder();
        for (Map<String, String> line : lines) {
            text.append(line.get("item")).append(' ').append(line.get("price")).append('\n');
        }
        return text.toString();
    }

    private static Map<String, String> invoiceLine(long order, int item) {
        Map<String, String> line = new HashMap<>();
        line.put("item", "order " + order + " item " + item);
        line.put("price", Integer.toString(item * 99));
        return line;
    }

    private static byte[] signReceipt(String invoice) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(invoice.getBytes(StandardCharsets.UTF_8));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    // --- Contention ---

    private void writeLedger() {
        for (;;) {
            ledger.append();
            sleep(40_000_000);
        }
    }

    private void auditLedger() {
        for (;;) {
            ledger.audit();
            sleep(5_000_000);
        }
    }

    private static final class Ledger {
        private long entries;

        /** Slow as a disk, with the lock held. */
        synchronized void append() {
            entries++;
            sleep(25_000_000);
        }

        synchronized long audit() {
            return entries;
        }
    }
}
