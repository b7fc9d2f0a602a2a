package dev.agentpipe.server.bench.search;

import java.util.Arrays;
import java.util.Random;

/**
 * Words as often as in a language: the n-th commonest n times rarer than the first (Zipf). Made up from syllables, so that
 * they are as long and as different as words are. The same seed gives the same texts. Not thread-safe.
 */
final class Vocabulary {

    private static final int WORDS = 200_000;
    private static final String[] SYLLABLES =
            "ka lo mi ter san der vi pro con re un sta ble ing tion ar el no qua zu fi per or en de ma tic gra phe lu"
                    .split(" ");
    private static final String CHINESE = "的一是不了人我在有他这为之大来以个中上们到说国和地也子时道出而要于就下得可你年生";

    private final Random random;
    private final String[] words = new String[WORDS];
    private final double[] cumulated = new double[WORDS];

    Vocabulary(long seed) {
        random = new Random(seed);
        double sum = 0;
        for (int i = 0; i < WORDS; i++) {
            words[i] = word(i);
            sum += 1.0 / (i + 1);
            cumulated[i] = sum;
        }
        for (int i = 0; i < WORDS; i++) {
            cumulated[i] /= sum;
        }
    }

    /** Numbers written in syllables: short ones for the common, none twice. */
    private static String word(int number) {
        StringBuilder word = new StringBuilder();
        int rest = number + SYLLABLES.length;
        while (rest > 0) {
            word.append(SYLLABLES[rest % SYLLABLES.length]);
            rest /= SYLLABLES.length;
        }
        return word.toString();
    }

    /** @param rank from 0 for the commonest */
    String ofRank(int rank) {
        return words[rank];
    }

    String next() {
        int found = Arrays.binarySearch(cumulated, random.nextDouble());
        return words[Math.min(WORDS - 1, found < 0 ? -found - 1 : found)];
    }

    /** 80 words in the mean, few of them very many; of ten messages one has code, of twenty one is Chinese. */
    String message() {
        int length = (int) Math.min(2_000, 20 + 60 * -Math.log(1 - random.nextDouble()));
        StringBuilder text = new StringBuilder(7 * length);
        int kind = random.nextInt(20);
        if (kind == 0) {
            for (int i = 0; i < 2 * length; i++) {
                // Commoner ones first, and rarer ones from the whole block.
                int c = random.nextInt(3) > 0
                        ? CHINESE.charAt(random.nextInt(CHINESE.length()))
                        : 0x4E00 + random.nextInt(3_000);
                text.append(i % 17 == 16 ? '，' : (char) c);
            }
            return text.toString();
        }
        for (int i = 0; i < length; i++) {
            String word = next();
            if (i % 12 == 0) {
                word = Character.toUpperCase(word.charAt(0)) + word.substring(1);
            }
            text.append(i == 0 ? "" : i % 12 == 0 ? ". " : " ").append(word);
            if (kind <= 2 && i % 9 == 8) {
                String next = next();
                text.append(' ')
                        .append(word)
                        .append(Character.toUpperCase(next.charAt(0)))
                        .append(next.substring(1))
                        .append("()");
            }
        }
        return text.toString();
    }
}
