import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

import com.sun.management.OperatingSystemMXBean;
import one.convert.Arguments;
import one.convert.JfrToPprof;
import one.jfr.JfrReader;

/**
 * Converts recordings with async-profiler's own converter, for bench/convert.py to compare with: lines in, lines out.
 *
 *     plain SECONDS FILE    converts the recording again and again; answers "ROUNDS CPU_SECONDS BYTES"
 *     gzip SECONDS FILE     the same with the profile compressed
 *
 * One run of this converter takes one kind of event; here its default, execution samples. CPU time is that of the whole
 * process, collector and compiler included.
 */
public class Converter {
    static final OperatingSystemMXBean OS = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    static class Fast extends GZIPOutputStream {
        Fast(OutputStream out) throws java.io.IOException {
            super(out);
            def.setLevel(Deflater.BEST_SPEED);
        }
    }

    static int convert(byte[] recording, boolean gzip) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JfrReader reader = new JfrReader(ByteBuffer.wrap(recording));
             OutputStream out = gzip ? new Fast(bytes) : bytes) {
            JfrToPprof converter = new JfrToPprof(reader, new Arguments());
            converter.convert();
            converter.dump(out);
        }
        return bytes.size();
    }

    static String run(String mode, double seconds, byte[] recording) throws Exception {
        long begin = OS.getProcessCpuTime();
        double took = 0;
        int rounds = 0, size = 0;
        for (; took < seconds; rounds++, took = (OS.getProcessCpuTime() - begin) / 1e9)
            size = convert(recording, mode.equals("gzip"));
        return rounds + " " + took + " " + size;
    }

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        String read = null;
        byte[] recording = null;
        for (String line; (line = in.readLine()) != null; ) {
            String[] words = line.split(" ", 3);
            try {
                if (!words[2].equals(read)) {
                    recording = Files.readAllBytes(Path.of(words[2]));
                    read = words[2];
                }
                System.out.println(run(words[0], Double.parseDouble(words[1]), recording));
            } catch (Exception e) {
                System.out.println("error: " + e);
            }
        }
    }
}
