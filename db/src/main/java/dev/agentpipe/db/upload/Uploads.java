package dev.agentpipe.db.upload;

import com.zaxxer.hikari.HikariDataSource;
import dev.agentpipe.core.event.Event.Notice;
import dev.agentpipe.core.event.Session;
import dev.agentpipe.core.event.SessionUploaded;
import dev.agentpipe.core.log.LogUnavailableException;
import dev.agentpipe.core.log.UploadLog;
import dev.agentpipe.core.log.UploadOutcome;
import dev.agentpipe.core.log.UploadOutcome.Conflicts;
import dev.agentpipe.core.log.UploadOutcome.Stored;
import dev.agentpipe.db.postgres.DatabaseTelemetry;
import dev.agentpipe.db.postgres.PostgresFailures;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Uploads in PostgreSQL, each in one transaction of two parts. First all rows with their texts are written, at positions
 * below zero that no other transaction uses; nobody waits for that, and nobody sees it. Then, under the lock of the appends,
 * what is new gets its positions and moves the projections. So the appends of others wait for a work that depends on the
 * number of events, not on their size: an update that leaves a large text alone does not write it again.
 *
 * <p>Connections are its own, so that uploads hold up neither appends nor reads. Thread-safe.
 */
public final class Uploads implements UploadLog {

    private static final Logger log = LoggerFactory.getLogger(Uploads.class);

    private final HikariDataSource pool;
    private final Clock clock;
    private final DatabaseTelemetry telemetry;

    public Uploads(HikariDataSource pool, Clock clock, DatabaseTelemetry telemetry) {
        this.telemetry = telemetry;
        this.pool = pool;
        this.clock = clock;
    }

    @Override
    public int atATime() {
        return pool.getMaximumPoolSize();
    }

    @Override
    public UploadOutcome storeEvents(Source events) throws IOException {
        return inTransaction(upload -> {
            events.read(upload::add);
            upload.stageRest();
            if (upload.conflicts().isEmpty() && !upload.isEmpty()) {
                upload.lock();
                upload.dropLateDuplicates();
            }
            if (!upload.conflicts().isEmpty()) {
                return new Conflicts(upload.conflicts());
            }
            if (upload.isEmpty()) {
                return new Stored(upload.conversationIds(), 0, 0, upload.duplicates(), 0);
            }
            List<String> known = upload.knownConversations();
            int participantsBefore = upload.participants();
            int messages = upload.messages();
            long head = upload.append(List.of(), List.of());
            upload.markUploaded(known);
            return new Stored(
                    upload.conversationIds(),
                    messages,
                    upload.participants() - participantsBefore,
                    upload.duplicates(),
                    head);
        });
    }

    @Override
    public UploadOutcome storeSession(Session session, Source messages) throws IOException {
        return inTransaction(upload -> {
            upload.of(session.conversationId());
            messages.read(upload::add);
            upload.stageRest();
            if (upload.conflicts().isEmpty()) {
                upload.lock();
                upload.dropLateDuplicates();
            }
            if (!upload.conflicts().isEmpty()) {
                return new Conflicts(upload.conflicts());
            }
            upload.dropHeardLive(session.conversationId());
            SessionMerge merge = new SessionMerge(upload.connection(), session);
            int created = upload.messages();
            if (merge.isEmpty(created)) {
                return new Stored(upload.conversationIds(), 0, 0, upload.duplicates(), 0);
            }
            Map<String, Integer> counts = new LinkedHashMap<>();
            counts.put("messages_created", created);
            counts.put("participants_created", merge.participants());
            counts.put("duplicates", upload.duplicates());
            Notice uploaded = SessionUploaded.of(session.conversationId(), clock.instant(), counts);
            long head = upload.append(merge.newStart(), merge.newEndAnd(uploaded));
            merge.apply();
            return new Stored(upload.conversationIds(), created, merge.participants(), upload.duplicates(), head);
        });
    }

    private interface Work {
        UploadOutcome in(UploadTransaction upload) throws SQLException, IOException;
    }

    /** Commits only if something is new; whatever is thrown, nothing is left behind. */
    private UploadOutcome inTransaction(Work work) throws IOException {
        try (Connection connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            long start = System.nanoTime();
            boolean isDone = false;
            try {
                UploadTransaction upload = new UploadTransaction(connection);
                UploadOutcome outcome = work.in(upload);
                if (outcome instanceof Stored stored && stored.head() > 0) {
                    connection.commit();
                    log.debug("Stored an upload; appends waited for {} ms", upload.lockedMillis());
                } else {
                    connection.rollback();
                }
                isDone = true;
                return outcome;
            } catch (SQLException | IOException | RuntimeException | Error failed) {
                rollBack(connection, failed);
                throw failed;
            } finally {
                telemetry.executed("upload", System.nanoTime() - start, !isDone);
            }
        } catch (SQLException failed) {
            throw pool.isClosed()
                    ? new LogUnavailableException("the database was closed", failed)
                    : PostgresFailures.translated(failed);
        } catch (RuntimeException failed) {
            throw PostgresFailures.translated(failed);
        }
    }

    private static void rollBack(Connection connection, Throwable failed) {
        try {
            connection.rollback();
        } catch (SQLException e) {
            failed.addSuppressed(e); // the connection is gone, and with it the transaction
        }
    }
}
