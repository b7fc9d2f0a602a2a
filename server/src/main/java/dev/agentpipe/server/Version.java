package dev.agentpipe.server;

/** The program's version, from the jar's manifest. */
public final class Version {

    private Version() {}

    /** {@code development} when it runs from compiled classes. */
    public static String current() {
        String version = Version.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }
}
