package dev.fanfare.netty.centrifuge;

import java.util.Arrays;
import java.util.Random;

/** Spoils good input at random. */
public final class Mutation {

    private Mutation() {}

    public static byte[] of(byte[] good, Random random) {
        byte[] mutant = good.clone();
        switch (random.nextInt(4)) {
            case 0 -> mutant = Arrays.copyOf(mutant, random.nextInt(mutant.length + 1));
            case 1 -> random.nextBytes(mutant);
            default -> {
                for (int changes = 1 + random.nextInt(4); changes > 0; changes--) {
                    mutant[random.nextInt(mutant.length)] = (byte) random.nextInt(256);
                }
            }
        }
        return mutant;
    }
}
