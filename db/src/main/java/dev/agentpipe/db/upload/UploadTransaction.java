package dev.agentpipe.db.upload;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.Event.MessageCreated;
import dev.agentpipe.core.event.Event.Notice;
import dev.agentpipe.core.log.AppendResult.Stored;
import dev.agentpipe.core.log.Appended;
import dev.agentpipe.db.log.AppendStatement;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One upload on its way into the tables. What is known already is found and dropped twice: before it is staged, since a
 * repeated upload should write nothing, and once more under the lock, for what came by itself in between. One use, one
 * thread.
 */
final class UploadTransaction {

    private static final int BATCH_EVENTS = 500;
    private static final int BATCH_BYTES = 1 << 20;

    /** Places told of a conflict; more help nobody. */
    private static final int CONFLICTS_MAX = 100;

    /** More than an upload has events; positions below zero are those of a transaction's own number times this. */
    private static final long POSITIONS = 1 << 20;

    /** An event that is staged, without its texts. */
    private record Staged(int place, long position, Event event) {
        ByteBuffer key() {
            return ByteBuffer.wrap(event.envelope().identity());
        }
    }

    /** An event of the batch that is known, or stands in the upload for the second time. */
    record Repeat(int place, long staged, long earlier, String conversationId, String content) {}

    private final Connection connection;
    private final StagedRows rows;

    private final List<Event> batch = new ArrayList<>();
    private final List<Integer> batchPlaces = new ArrayList<>();
    private int batchBytes;

    private long nextPosition;
    private List<Staged> staged = new ArrayList<>();
    private final Map<ByteBuffer, Long> stagedByIdentity = new HashMap<>();
    private final Set<String> conversationIds = new LinkedHashSet<>();
    private final List<Integer> conflicts = new ArrayList<>();
    private int duplicates;

    /** Whether events have rows of their own, other than those of a session. */
    private boolean logged;

    private long lockedSince;

    UploadTransaction(Connection connection) {
        this.connection = connection;
        this.rows = new StagedRows(connection);
    }

    Connection connection() {
        return connection;
    }

    /** Names a conversation that the upload is about. */
    void of(String conversationId) {
        conversationIds.add(conversationId);
    }

    void add(int place, Event event) {
        batch.add(event);
        batchPlaces.add(place);
        byte[] payload = event.envelope().payload();
        logged |= payload != null;
        batchBytes += payload != null
                ? payload.length
                : ((MessageCreated) event).content().length();
        if (event.envelope().conversationId() != null) {
            conversationIds.add(event.envelope().conversationId());
        }
        if (batch.size() >= BATCH_EVENTS || batchBytes >= BATCH_BYTES) {
            try {
                stageRest();
            } catch (SQLException e) {
                throw new IllegalStateException("an upload cannot be staged", e);
            }
        }
    }

    void stageRest() throws SQLException {
        if (batch.isEmpty()) {
            return;
        }
        Map<ByteBuffer, Long> known = known(batch);
        List<Event> fresh = new ArrayList<>();
        List<Long> positions = new ArrayList<>();
        List<Repeat> repeats = new ArrayList<>();
        for (int i = 0; i < batch.size(); i++) {
            Event event = batch.get(i);
            int place = batchPlaces.get(i);
            ByteBuffer key = ByteBuffer.wrap(event.envelope().identity());
            Long earlier = known.getOrDefault(key, stagedByIdentity.get(key));
            if (earlier == null) {
                long position = nextPosition();
                stagedByIdentity.put(key, position);
                if (isStaged(event)) {
                    fresh.add(event);
                    positions.add(position);
                }
                staged.add(new Staged(place, position, withoutTexts(event)));
            } else {
                duplicates++;
                if (event instanceof MessageCreated message) {
                    String conversationId = message.envelope().conversationId();
                    repeats.add(new Repeat(place, 0, earlier, conversationId, message.content()));
                }
            }
        }
        rows.stage(fresh, positions);
        findConflicts(repeats);
        batch.clear();
        batchPlaces.clear();
        batchBytes = 0;
    }

    /** Rare events are small, and not staged: they are appended as they are. */
    private static boolean isStaged(Event event) {
        return event instanceof MessageCreated || event instanceof Notice;
    }

    private static Event withoutTexts(Event event) {
        if (event instanceof MessageCreated message) {
            return message.withoutTexts();
        }
        return event instanceof Notice notice ? new Notice(notice.envelope().withoutPayload()) : event;
    }

    private long nextPosition() throws SQLException {
        if (nextPosition == 0) {
            nextPosition = -rows.transactionId() * POSITIONS;
        }
        return --nextPosition;
    }

    private Map<ByteBuffer, Long> known(List<Event> events) throws SQLException {
        Map<ByteBuffer, Long> known = new HashMap<>();
        byte[][] identities =
                events.stream().map(event -> event.envelope().identity()).toArray(byte[][]::new);
        rows.known(identities, (identity, position) -> known.put(ByteBuffer.wrap(identity), position));
        return known;
    }

    private void findConflicts(List<Repeat> repeats) throws SQLException {
        if (!repeats.isEmpty()) {
            for (int index : rows.conflicts(repeats)) {
                if (conflicts.size() < CONFLICTS_MAX) {
                    conflicts.add(repeats.get(index).place());
                }
            }
        }
    }

    /** Takes the lock of the appends: from here on nobody else adds anything, until this transaction ends. */
    void lock() throws SQLException {
        rows.lock();
        lockedSince = System.nanoTime();
    }

    long lockedMillis() {
        return (System.nanoTime() - lockedSince) / 1_000_000;
    }

    /** To be called under the lock. */
    void dropLateDuplicates() throws SQLException {
        Map<ByteBuffer, Long> known = known(staged.stream().map(Staged::event).toList());
        if (known.isEmpty()) {
            return;
        }
        List<Repeat> repeats = new ArrayList<>();
        Set<Long> late = new HashSet<>();
        List<Staged> fresh = new ArrayList<>();
        for (Staged one : staged) {
            Long earlier = known.get(one.key());
            if (earlier == null) {
                fresh.add(one);
                continue;
            }
            duplicates++;
            late.add(one.position());
            if (one.event() instanceof MessageCreated message) {
                repeats.add(new Repeat(
                        one.place(), one.position(), earlier, message.envelope().conversationId(), null));
            }
        }
        findConflicts(repeats);
        drop(late, fresh);
    }

    /** Drops messages without an id of their own that came with one before. To be called under the lock. */
    void dropHeardLive(String conversationId) throws SQLException {
        List<Long> candidates = staged.stream()
                .filter(one -> one.event() instanceof MessageCreated message && !message.hasSentId())
                .map(Staged::position)
                .toList();
        if (!candidates.isEmpty()) {
            Set<Long> heard = rows.heardBefore(conversationId, candidates);
            duplicates += heard.size();
            drop(
                    heard,
                    staged.stream()
                            .filter(one -> !heard.contains(one.position()))
                            .toList());
        }
    }

    private void drop(Set<Long> positions, List<Staged> rest) throws SQLException {
        rows.delete(
                staged.stream()
                        .filter(one -> positions.contains(one.position()))
                        .map(Staged::event)
                        .toList(),
                staged.stream()
                        .map(Staged::position)
                        .filter(positions::contains)
                        .toList());
        staged = rest;
    }

    /** The conversations of this upload that are there already. */
    List<String> knownConversations() throws SQLException {
        return rows.conversations(conversationIds);
    }

    void markUploaded(List<String> known) throws SQLException {
        Set<String> fresh = new LinkedHashSet<>(conversationIds);
        known.forEach(fresh::remove);
        rows.markUploaded(fresh);
    }

    int participants() throws SQLException {
        return rows.participants(conversationIds);
    }

    /**
     * Appends what is staged, between these, and gives the rows their positions. To be called under the lock.
     *
     * @return the log's new head
     */
    long append(List<? extends Event> before, List<? extends Event> after) throws SQLException {
        List<Event> events = new ArrayList<>(before);
        staged.forEach(one -> events.add(one.event()));
        events.addAll(after);
        Appended appended = AppendStatement.execute(connection, events);
        List<Event> moved = new ArrayList<>();
        List<Long> from = new ArrayList<>();
        List<Long> to = new ArrayList<>();
        for (int i = 0; i < events.size(); i++) {
            if (!(appended.results().get(i) instanceof Stored stored)) {
                throw new IllegalStateException("something appeared in the log although it was locked");
            }
            int index = i - before.size();
            if (index >= 0 && index < staged.size() && isStaged(events.get(i))) {
                moved.add(events.get(i));
                from.add(staged.get(index).position());
                to.add(stored.position());
            }
        }
        rows.move(moved, from, to, logged);
        return appended.head();
    }

    int messages() {
        return (int) staged.stream()
                .filter(one -> one.event() instanceof MessageCreated)
                .count();
    }

    boolean isEmpty() {
        return staged.isEmpty();
    }

    List<String> conversationIds() {
        return new ArrayList<>(conversationIds);
    }

    List<Integer> conflicts() {
        return conflicts;
    }

    int duplicates() {
        return duplicates;
    }
}
