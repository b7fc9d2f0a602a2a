package dev.agentpipe.server.cli;

import dev.agentpipe.server.StartException;
import java.net.BindException;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import java.sql.SQLException;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;

/** Makes one line for the operator of what went wrong; the first cause that is known by its type or state speaks. */
final class StartFailure {

    private StartFailure() {}

    static String line(Throwable failure) {
        Set<Throwable> chain = new LinkedHashSet<>();
        String unknownHost = "";
        for (Throwable at = failure; at != null && chain.add(at); at = at.getCause()) {
            if (at instanceof UnknownHostException) {
                unknownHost = "; unknown host " + at.getMessage();
            }
        }
        for (Throwable at : chain) {
            if (at instanceof StartException) {
                return oneLine(at.getMessage() + unknownHost);
            }
        }
        for (Throwable at : chain) {
            String known = known(at);
            if (known != null) {
                return oneLine(known + unknownHost);
            }
        }
        String message = failure.getMessage();
        return oneLine(message == null || message.isBlank() ? failure.getClass().getSimpleName() : message);
    }

    private static String known(Throwable at) {
        if (at instanceof BindException) {
            return "cannot listen there: " + at.getMessage() + ". Does another server use the port? See HOST and PORT";
        }
        if (at instanceof UnresolvedAddressException) {
            return "HOST is no address of this machine";
        }
        if (at instanceof SQLException sql && sql.getSQLState() != null) {
            return database(sql.getSQLState(), sql.getMessage());
        }
        return null;
    }

    /** By SQLSTATE (PostgreSQL manual, appendix A). The server's own words follow; they never hold the password. */
    private static String database(String state, String message) {
        String what = switch (state) {
            case "28P01", "28000" -> "the database refuses this user or password";
            case "3D000" -> "the database does not exist";
            case "42501" -> "the database user lacks a permission";
            case "53300" -> "the database has no connection left";
            case "57P03" -> "the database is starting or stopping";
            default ->
                state.toUpperCase(Locale.ROOT).startsWith("08")
                        ? "the database cannot be reached"
                        : "the database reports " + state;
        };
        return what + " (see DATABASE_URL): " + message;
    }

    private static String oneLine(String text) {
        return text.strip().replaceAll("\\s*\\R\\s*", "; ");
    }
}
