package dev.agentpipe.server.cli;

import dev.agentpipe.db.SchemaState;
import dev.agentpipe.server.Version;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** What this program is, as a report of a fault needs it. */
@Command(
        name = "version",
        description = "Print the version, what it was built from, its Java, and its schema's version.")
final class VersionCommand implements Runnable {

    @Spec
    private CommandSpec spec;

    @Option(names = "--json", description = "For programs.")
    private boolean isJson;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Print this text.")
    private boolean help;

    @Override
    public void run() {
        PrintWriter out = spec.commandLine().getOut();
        String java = Runtime.version() + " (" + System.getProperty("java.vendor") + ")";
        String system = System.getProperty("os.name") + " " + System.getProperty("os.arch");
        if (isJson) {
            out.println(JsonMapper.shared()
                    .createObjectNode()
                    .put("version", Version.current())
                    .put("commit", Version.commit())
                    .put("java", Runtime.version().toString())
                    .put("javaVendor", System.getProperty("java.vendor"))
                    .put("schema", SchemaState.newest())
                    .put("system", system)
                    .toPrettyString());
        } else {
            out.println(Line.TEXT);
            out.println("commit  " + Version.commit());
            out.println("java    " + java);
            out.println("schema  " + SchemaState.newest());
            out.println("system  " + system);
        }
        out.flush();
    }

    /** For {@code --version}. */
    static final class Line implements IVersionProvider {
        private static final String TEXT = "agentpipe-server " + Version.current();

        @Override
        public String[] getVersion() {
            return new String[] {TEXT};
        }
    }
}
