package dev.agentpipe.db.postgres;

import java.time.Duration;
import java.util.Optional;

/**
 * How to reach the database, and with how much at most. Thrown errors and {@link #toString()} never hold a password.
 *
 * <p>Behind a pooler statements are not prepared, unless {@code prepareThreshold} in the URL says otherwise.
 */
public final class DatabaseSettings {

    private final PostgresUrl url;
    private final PostgresUrl directUrl;
    private final int poolMin;
    private final int poolMax;
    private final Duration timeout;

    private DatabaseSettings(PostgresUrl url, PostgresUrl directUrl, int poolMin, int poolMax, Duration timeout) {
        this.url = url;
        this.directUrl = directUrl;
        this.poolMin = poolMin;
        this.poolMax = poolMax;
        this.timeout = timeout;
    }

    /**
     * @param url {@code postgresql://user:password@host:5432/database?sslmode=…}, {@code postgres://…}, or {@code
     *     jdbc:postgresql:…}
     * @param directUrl the same without a pooler in between, for migrations; null if there is none
     * @param poolMin connections to keep, at most {@code poolMax}
     * @param poolMax connections at most, 3 or more: of them one appends, and at least one stores uploads
     * @param timeout how long a statement may take before its connection is given up
     * @throws IllegalArgumentException a sentence that says which argument is wrong, and how
     */
    public static DatabaseSettings of(String url, String directUrl, int poolMin, int poolMax, Duration timeout) {
        PostgresUrl parsed = parse("DATABASE_URL", url);
        PostgresUrl direct = directUrl == null ? parsed : parse("DIRECT_URL", directUrl);
        if (poolMin < 0 || poolMax < 3 || poolMin > poolMax) {
            throw new IllegalArgumentException(
                    "DATABASE_POOL_MIN must be 0 or more and DATABASE_POOL_MAX, 3 or more, not less than it");
        }
        if (timeout.compareTo(Duration.ofMillis(100)) < 0) {
            throw new IllegalArgumentException("DATABASE_TIMEOUT must be 100 ms or more");
        }
        return new DatabaseSettings(parsed, direct, poolMin, poolMax, timeout);
    }

    /** What is wrong with this as a URL, without any part of it; empty if nothing is. */
    public static Optional<String> urlProblem(String url) {
        try {
            PostgresUrl.parse(url);
            return Optional.empty();
        } catch (IllegalArgumentException wrong) {
            return Optional.of(wrong.getMessage());
        }
    }

    /** The URL for people, with *** for all that may be a secret. */
    public static String masked(String url) {
        return PostgresUrl.masked(url);
    }

    private static PostgresUrl parse(String name, String url) {
        try {
            return PostgresUrl.parse(url);
        } catch (IllegalArgumentException wrong) {
            throw new IllegalArgumentException(name + ": " + wrong.getMessage(), wrong);
        }
    }

    public PostgresUrl url() {
        return url;
    }

    /** For migrations. */
    public PostgresUrl directUrl() {
        return directUrl;
    }

    /** Where migrations go, for messages. */
    public String target() {
        return directUrl.target();
    }

    public int poolMin() {
        return poolMin;
    }

    public int poolMax() {
        return poolMax;
    }

    /** Of a statement. */
    public Duration timeout() {
        return timeout;
    }

    @Override
    public String toString() {
        return "DatabaseSettings[" + url + ", pool " + poolMin + " to " + poolMax + ", " + timeout + "]";
    }
}
