package dev.agentpipe.server;

import java.io.IOException;
import java.io.InputStream;
import java.util.jar.Attributes;
import java.util.jar.Manifest;

/** The program's version, from the jar's manifest. */
public final class Version {

    private static final String TITLE = "AgentPipe Streaming";

    private Version() {}

    /** {@code development} when it runs from compiled classes. */
    public static String current() {
        String version = Version.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }

    /** What it was built from; {@code unknown} if the build was not told, or it runs from compiled classes. */
    public static String commit() {
        try (InputStream in = Version.class.getResourceAsStream("/META-INF/MANIFEST.MF")) {
            Attributes built = in == null ? new Attributes() : new Manifest(in).getMainAttributes();
            // Among other jars it may be the manifest of another program.
            boolean isOwn = TITLE.equals(built.getValue(Attributes.Name.IMPLEMENTATION_TITLE));
            String commit = isOwn ? built.getValue("Implementation-Commit") : null;
            return commit == null ? "unknown" : commit;
        } catch (IOException unreadable) {
            return "unknown";
        }
    }
}
