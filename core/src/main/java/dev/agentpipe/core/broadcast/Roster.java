package dev.agentpipe.core.broadcast;

import java.util.Arrays;

/** Subscriptions in no particular order; adds and removes at a fixed cost. Confined to the lane's thread. */
final class Roster {

    private Subscription[] members = new Subscription[16];
    private int size;

    int size() {
        return size;
    }

    /** By index, so that members can be removed during a walk from the last index down. */
    Subscription get(int index) {
        return members[index];
    }

    void add(Subscription subscription) {
        if (size == members.length) {
            members = Arrays.copyOf(members, 2 * size);
        }
        subscription.slot = size;
        members[size++] = subscription;
    }

    void remove(Subscription subscription) {
        int slot = subscription.slot;
        Subscription last = members[--size];
        members[slot] = last;
        last.slot = slot;
        members[size] = null;
        subscription.slot = -1;
    }
}
