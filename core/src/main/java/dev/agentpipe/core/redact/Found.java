package dev.agentpipe.core.redact;

import java.util.Arrays;

/** Secrets of one text in their order: from, to, and the kind's ordinal. One thread. */
final class Found {

    private static final SecretKind[] KINDS = SecretKind.values();

    private int[] numbers = {};
    private int size;

    void add(int from, int to, SecretKind kind) {
        if (size + 3 > numbers.length) {
            numbers = Arrays.copyOf(numbers, Math.max(24, 2 * numbers.length));
        }
        numbers[size++] = from;
        numbers[size++] = to;
        numbers[size++] = kind.ordinal();
    }

    void clear() {
        size = 0;
    }

    boolean isEmpty() {
        return size == 0;
    }

    int count() {
        return size / 3;
    }

    int from(int index) {
        return numbers[3 * index];
    }

    int to(int index) {
        return numbers[3 * index + 1];
    }

    SecretKind kind(int index) {
        return KINDS[numbers[3 * index + 2]];
    }
}
