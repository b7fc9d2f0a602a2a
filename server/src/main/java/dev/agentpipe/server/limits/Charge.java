package dev.agentpipe.server.limits;

/**
 * What a request takes from one tally.
 *
 * @param tally whose and of what; holds no secret
 * @param costNanos how much later the tally is empty again; never more than the window, so that an empty tally has room for
 *     any request
 */
record Charge(Quota quota, String tally, long costNanos) {

    static Charge of(Quota quota, String who, int count) {
        return new Charge(quota, quota.name() + ':' + who, Math.min(count, quota.max()) * quota.eachNanos());
    }
}
