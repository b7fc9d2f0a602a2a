package dev.agentpipe.server.loadtest;

import java.util.Locale;

/**
 * How busy the load generator itself was in a step.
 *
 * @param cpuShare of all processors of its machine, taken by its process
 * @param machineShare of the same, taken by all processes
 * @param threadShare of one processor, taken by its busiest thread
 * @param lagMillis p99 of how late it was with what it had to do at a set time, though nothing kept it but itself
 */
record ClientLoad(double cpuShare, double machineShare, double threadShare, double lagMillis) {

    private static final double CPU_SHARE_MAX = 0.8;
    private static final double THREAD_SHARE_MAX = 0.9;
    private static final double LAG_MILLIS_MAX = 25;
    private static final double MACHINE_SHARE_FULL = 0.95;

    /** Past this, times tell as much of the load generator as of the server. */
    boolean isLimit() {
        return cpuShare > CPU_SHARE_MAX || threadShare > THREAD_SHARE_MAX || lagMillis > LAG_MILLIS_MAX;
    }

    boolean isMachineFull() {
        return machineShare > MACHINE_SHARE_FULL;
    }

    /** For people. */
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "it took %.0f %% of this machine's processors (all processes: %.0f %%), its busiest thread %.0f %% of one;"
                        + " it was %.0f ms late (p99)",
                100 * cpuShare,
                100 * machineShare,
                100 * threadShare,
                lagMillis);
    }
}
