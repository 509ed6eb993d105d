// SPDX-License-Identifier: Apache-2.0
// Writes random floating point numbers and what this Java prints for them, one a line: "d" or "f", the bits in
// hexadecimal, the text. With Java 17:
//
//     java tests/unit/common/FloatOracle.java 1000000 42 > floats.tsv && build/tests/test_number_float floats.tsv
import java.io.BufferedOutputStream;
import java.io.PrintStream;
import java.util.Random;

public class FloatOracle {
    static double someDouble(Random r, int way) {
        switch (way) {
        case 0: return r.nextInt(100000000) / 100.0;
        case 1: return r.nextInt() / 1000.0;
        case 2: return Math.scalb(1.0, r.nextInt(2100) - 1074);
        case 3: return Double.longBitsToDouble(r.nextLong() >>> (12 + r.nextInt(50)));
        case 4: return r.nextLong() >> r.nextInt(64);
        case 5: return r.nextGaussian() * Math.pow(10, r.nextInt(20) - 8);
        case 6: return Double.parseDouble((r.nextInt(9999) + 1) + "e" + (r.nextInt(620) - 320));
        case 7: return Math.nextUp(Math.scalb(1.0, r.nextInt(200) - 100));
        default: return Double.longBitsToDouble(r.nextLong());
        }
    }

    static float someFloat(Random r, int way) {
        switch (way) {
        case 0: return r.nextInt(100000) / 100f;
        case 1: return Math.scalb(1f, r.nextInt(280) - 150);
        case 2: return r.nextInt() >> r.nextInt(31);
        case 3: return r.nextFloat();
        default: return Float.intBitsToFloat(r.nextInt());
        }
    }

    public static void main(String[] args) {
        Random r = new Random(Long.parseLong(args[1]));
        PrintStream out = new PrintStream(new BufferedOutputStream(System.out, 1 << 16));
        for (int i = Integer.parseInt(args[0]); i > 0; i--) {
            double d = someDouble(r, i % 11);
            float f = someFloat(r, i % 7);
            out.println("d\t" + Long.toHexString(Double.doubleToRawLongBits(d)) + "\t" + d);
            out.println("f\t" + Integer.toHexString(Float.floatToRawIntBits(f)) + "\t" + f);
        }
        out.flush();
    }
}
