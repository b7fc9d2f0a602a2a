package dev.agentpipe.server.loadtest;

/**
 * Looks for the greatest number that is carried: doubles until one is missed, then halves the gap. A miss is tried once
 * more, since one hiccup of a disk or a network says nothing of what a server carries.
 *
 * <p>Not thread-safe.
 */
final class Search {

    /** The gap is left as it is once it is this part of the missed number, or after so many halvings. */
    private static final double GAP = 0.1;

    private static final int HALVINGS_MAX = 3;

    private final int most;
    private int carried;
    private int missed = Integer.MAX_VALUE;
    private int halvings;
    private int next;
    private boolean triedOnce;

    private Search(int carried, int next, int most) {
        this.carried = carried;
        this.next = Math.min(next, most);
        this.most = most;
    }

    /** Nothing is known yet. */
    static Search from(int first, int most) {
        return new Search(0, first, most);
    }

    /** This number is carried; what is above? */
    static Search above(int carried, int most) {
        return new Search(carried, 2 * carried, most);
    }

    /** This number is missed; what is below? */
    static Search below(int missed) {
        Search search = new Search(0, missed, missed);
        search.missed = missed;
        search.halve();
        return search;
    }

    boolean isOver() {
        return next <= carried || next >= missed;
    }

    /** The number to try now. */
    int next() {
        return next;
    }

    void carried() {
        carried = next;
        triedOnce = false;
        if (missed == Integer.MAX_VALUE) {
            next = (int) Math.min(2L * carried, most);
        } else {
            halve();
        }
    }

    void missed() {
        if (!triedOnce) {
            triedOnce = true;
            return;
        }
        triedOnce = false;
        missed = next;
        halve();
    }

    /** The greatest number that was carried; 0 if none was. */
    int greatestCarried() {
        return carried;
    }

    /** {@link Integer#MAX_VALUE} if none was. */
    int leastMissed() {
        return missed;
    }

    private void halve() {
        boolean isFine = missed - carried <= Math.max(1, GAP * missed);
        next = isFine || halvings == HALVINGS_MAX ? carried : carried + (missed - carried) / 2;
        halvings++;
    }
}
