package dev.agentpipe.server;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.pattern.ThrowableProxyConverter;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.slf4j.LoggerFactory;

/**
 * Looks through all that servers of this test run log and answer for the keys that the tests use; a class in whose time one
 * was found fails. Registered for all tests by {@code META-INF/services}.
 */
public final class SecretsSearch implements BeforeAllCallback, AfterAllCallback {

    private static final String NAME = "secrets";
    private static final int AROUND = 200;

    private static final Set<String> SECRETS = ConcurrentHashMap.newKeySet();
    private static final List<String> FOUND = new CopyOnWriteArrayList<>();

    private static final class Search extends AppenderBase<ILoggingEvent> {
        private final ThrowableProxyConverter thrown = new ThrowableProxyConverter();

        @Override
        public void start() {
            setName(NAME);
            thrown.start();
            super.start();
        }

        @Override
        protected void append(ILoggingEvent event) {
            String told = event.getFormattedMessage()
                    + ' '
                    + event.getMDCPropertyMap()
                    + ' '
                    + event.getThreadName()
                    + (event.getThrowableProxy() == null ? "" : thrown.convert(event));
            seen("the log of " + event.getLoggerName(), told);
        }
    }

    /** From now on, nowhere. */
    public static void hide(String secret) {
        SECRETS.add(secret);
    }

    /** What a server has answered. */
    public static void answered(String text) {
        seen("an answer", text);
    }

    /** What a process has printed. */
    public static void printed(String text) {
        seen("the output of a process", text);
    }

    private static void seen(String where, String text) {
        for (String secret : SECRETS) {
            int at = text.indexOf(secret);
            if (at >= 0) {
                String around = text.substring(
                        Math.max(0, at - AROUND), Math.min(text.length(), at + secret.length() + AROUND));
                FOUND.add(where + ": " + around);
            }
        }
    }

    /** Each time: a test of the log's set-up takes everything away. */
    @Override
    public void beforeAll(ExtensionContext tests) {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
        if (root.getAppender(NAME) == null) {
            Search search = new Search();
            search.setContext(context);
            search.start();
            root.addAppender(search);
        }
    }

    @Override
    public void afterAll(ExtensionContext tests) {
        if (!FOUND.isEmpty()) {
            List<String> found = List.copyOf(FOUND);
            FOUND.clear();
            throw new AssertionError("a key of the tests is in " + found);
        }
    }
}
