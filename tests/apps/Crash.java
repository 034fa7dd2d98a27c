import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;

/** Computes until the file in its first argument appears, then writes to address 0 and takes the JVM with it. */
public class Crash {
    static volatile long sink;

    public static void main(String[] args) throws Exception {
        Field field = Class.forName("sun.misc.Unsafe").getDeclaredField("theUnsafe");
        field.setAccessible(true);
        Object unsafe = field.get(null);
        System.out.println("ready");
        while (!Files.exists(Path.of(args[0]))) {
            for (int i = 0; i < 1000000; i++)
                sink = sink * 31 ^ i;
            Thread.sleep(5);
        }
        unsafe.getClass().getMethod("putAddress", long.class, long.class).invoke(unsafe, 0L, 0L);
    }
}
