package dev.agentpipe.core.broadcast;

import java.util.Arrays;

/**
 * Subscriptions in two parts: those that have the current step of a sweep, then those that lack it. Adds, removes and moves
 * at a fixed cost. Confined to the lane's thread.
 */
final class Roster {

    private Subscription[] members = new Subscription[16];
    private int size;

    /** Where the second part begins. */
    private int swept;

    /** From now on everyone lacks the step. */
    void beginStep() {
        swept = 0;
    }

    boolean hasUnswept() {
        return swept < size;
    }

    /** One that lacks the step. */
    Subscription unswept() {
        return members[swept];
    }

    boolean isUnswept(Subscription subscription) {
        return subscription.slot >= swept;
    }

    /** The one that {@link #unswept()} names now has the step. */
    void sweptOne() {
        swept++;
    }

    int size() {
        return size;
    }

    /** By index, so that members can be removed during a walk from the last index down. */
    Subscription get(int index) {
        return members[index];
    }

    /** Adds one that lacks nothing. */
    void add(Subscription subscription) {
        if (size == members.length) {
            members = Arrays.copyOf(members, 2 * size);
        }
        move(swept, size);
        size++;
        members[swept] = subscription;
        subscription.slot = swept;
        swept++;
    }

    void remove(Subscription subscription) {
        int hole = subscription.slot;
        if (hole < swept) {
            swept--;
            move(swept, hole);
            hole = swept;
        }
        size--;
        move(size, hole);
        members[size] = null;
        subscription.slot = -1;
    }

    /** Fills a hole; nothing if there is none between them. */
    private void move(int from, int to) {
        if (from != to) {
            members[to] = members[from];
            members[to].slot = to;
        }
    }
}
