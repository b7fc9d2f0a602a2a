package dev.agentpipe.server.limits;

import java.util.List;

/**
 * Whether a request may go on.
 *
 * @param waitNanos go on after so long; of one refused: after so long it would not be
 * @param quota the one that decided
 * @param remaining how many more would be let in now
 * @param moreNanos after so long, one more
 */
record Decision(boolean isRefused, long waitNanos, Quota quota, long remaining, long moreNanos) {

    /**
     * @param filled for each charge: how many nanoseconds of the quota's window its tally takes now; where that charge did not
     *     fit, the bitwise complement of what it takes without it
     */
    static Decision of(List<Charge> charges, long[] filled) {
        int worst = 0;
        for (int i = 1; i < filled.length; i++) {
            boolean isRefused = filled[i] < 0;
            boolean isWorse = excess(charges.get(i), filled[i]) > excess(charges.get(worst), filled[worst]);
            if (isRefused == filled[worst] < 0 ? isWorse : isRefused) {
                worst = i;
            }
        }
        return of(charges.get(worst), filled[worst]);
    }

    private static Decision of(Charge charge, long filled) {
        Quota quota = charge.quota();
        boolean isRefused = filled < 0;
        long free = quota.windowNanos() - (isRefused ? ~filled : filled);
        long remaining = Math.max(0, Math.min(quota.max(), free / quota.eachNanos()));
        long more = remaining == quota.max() ? 0 : quota.eachNanos() * (remaining + 1) - free;
        return new Decision(isRefused, Math.max(0, excess(charge, filled)), quota, remaining, more);
    }

    /** How far the tally is, or would be, above its quota. */
    private static long excess(Charge charge, long filled) {
        return (filled < 0 ? ~filled + charge.costNanos() : filled)
                - charge.quota().windowNanos();
    }
}
