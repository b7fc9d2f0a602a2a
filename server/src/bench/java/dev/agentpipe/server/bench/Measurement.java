package dev.agentpipe.server.bench;

import java.util.List;
import java.util.Map;

/**
 * Something that is measured, several times, against a server of its own.
 *
 * @param name by which {@code --only} selects it
 * @param server how its server is started
 * @param preparation once, before the runs and after the warm-up
 */
record Measurement(String name, List<Goal> goals, ServerOptions server, Step preparation, Step step) {

    /** A part of it, done with a session's means; what it finds goes into the run. */
    @FunctionalInterface
    interface Step {
        void run(Session session, Run run) throws Exception;
    }

    /**
     * How a server is started.
     *
     * @param jvm its options for Java
     * @param warmUp whether it serves some load before it is measured
     * @param freshEachRun whether each run has a server of its own, since a run leaves traces in it
     * @param isStarted whether there is one at all
     */
    record ServerOptions(
            List<String> jvm,
            Map<String, String> environment,
            boolean warmUp,
            boolean freshEachRun,
            boolean isStarted) {

        static final ServerOptions WARM = new ServerOptions(List.of(), Map.of(), true, false, true);
        static final ServerOptions NONE = new ServerOptions(List.of(), Map.of(), false, false, false);

        ServerOptions withJvm(String... options) {
            return new ServerOptions(List.of(options), environment, warmUp, freshEachRun, isStarted);
        }

        ServerOptions withFreshEachRun() {
            return new ServerOptions(jvm, environment, warmUp, true, isStarted);
        }
    }

    Measurement(String name, List<Goal> goals, ServerOptions server, Step step) {
        this(name, goals, server, (session, run) -> {}, step);
    }
}
