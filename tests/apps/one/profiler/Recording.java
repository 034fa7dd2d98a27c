package one.profiler;

import java.lang.invoke.MethodHandles;
import java.nio.ByteBuffer;

/** The side of async-profiler's span API that its library looks for: names and types are given. A no-op without it. */
public class Recording {
    static volatile long clockFrequency;
    static volatile int state;

    static {
        try {
            state = registerNatives();
        } catch (UnsatisfiedLinkError e) {
            state = 0;
        }
    }

    /** The recordings of the tests have the JVM's monotonic clock. */
    public static long start() {
        return System.nanoTime();
    }

    public static void end(long start, String tag) {
        if (state == 2) emitSpan(start, System.nanoTime(), tag);
    }

    private static void updateClock(MethodHandles.Lookup lookup, long frequency) {
        clockFrequency = frequency;
    }

    private static native int registerNatives();

    static native ByteBuffer getThreadLocalBuffer();

    static native void emitSpan(long startTime, long endTime, String tag);
}
