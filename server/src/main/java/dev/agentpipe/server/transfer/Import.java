package dev.agentpipe.server.transfer;

import dev.agentpipe.db.web.WebDatabase;
import dev.agentpipe.db.web.WebDatabase.EventCount;
import dev.agentpipe.db.web.WebRow;
import dev.agentpipe.server.transfer.ImportResult.Counted;
import dev.agentpipe.server.transfer.Taken.Refusal;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Copies an agentpipe-web database into a server: conversation by conversation, a page of messages an upload, and looks
 * after each whether it is there. What the server refuses is told and left behind; everything else goes on.
 *
 * <p>A conversation that was acknowledged before, has not changed, and is still there is not sent again. Everything else is,
 * which creates nothing twice, since all ids are the old ones. One that this log has acknowledged and does not have any more
 * was deleted there, and stays so.
 *
 * <p>Errors are events whose time the old database does not know, so they could not be told from the same ones that came
 * live or in a file. They are sent only to conversations of which the server knows no error. One thread.
 */
public final class Import {

    private static final int CONVERSATIONS_PAGE = 100;
    private static final int PARTICIPANTS_MAX = 1_000;
    private static final int MESSAGES_PAGE = 2_000;
    private static final int EVENTS_PAGE = 1_000;

    /** Of the text of rows; bounds what is in memory of the old database. */
    private static final long PAGE_BYTES_MAX = 8 << 20;

    private static final int EVENT_KINDS_MAX = 100;
    private static final Pattern MESSAGE = Pattern.compile("/messages/([0-9]{1,9})(/.*)?");

    private final WebDatabase source;
    private final TransferClient client;
    private final DoneList done;
    private final ImportListener listener;

    private boolean isComplete;
    private long conversations;
    private long unchanged;
    private long deleted;
    private long messagesAdded;
    private long refused;
    private long missing;
    private Counted old = new Counted(0, 0, 0);
    private Counted found = new Counted(0, 0, 0);
    private final Map<String, Long> events = new LinkedHashMap<>();

    public Import(WebDatabase source, TransferClient client, DoneList done, ImportListener listener) {
        this.source = source;
        this.client = client;
        this.done = done;
        this.listener = listener;
    }

    /**
     * Returns when everything was tried, or when the person stopped it.
     *
     * @throws GaveUpException if the server cannot be used; {@link #result()} tells how far it came
     */
    public void run() throws GaveUpException, IOException, InterruptedException {
        long inAll = source.counts().conversations();
        try {
            String after = "";
            for (List<WebRow> page = conversationsAfter(after); !page.isEmpty(); page = conversationsAfter(after)) {
                for (WebRow conversation : page) {
                    listener.begin(++conversations, inAll, conversation.id());
                    move(conversation);
                }
                after = page.get(page.size() - 1).id();
            }
            moveEventsOfNone();
            countOtherEvents();
            isComplete = true;
        } catch (StoppedException stopped) {
            conversations--;
        }
    }

    private List<WebRow> conversationsAfter(String id) {
        return source.conversations(id, CONVERSATIONS_PAGE, PAGE_BYTES_MAX);
    }

    private void move(WebRow row) throws GaveUpException, StoppedException, IOException, InterruptedException {
        Counted expected = new Counted(1, row.number("messageCount"), row.number("participantCount"));
        Answer before = look(row.id());
        Counted there = counted(before);
        String digest = DoneList.digest(row.values().toString().getBytes(StandardCharsets.UTF_8));
        if (done.contains(digest) && there.conversations() == 0) {
            deleted++;
        } else if (done.contains(digest) && isThere(expected, there)) {
            unchanged++;
        } else {
            OneConversation one = new OneConversation(row, expected, knowsErrors(before));
            one.send();
            there = counted(look(row.id()));
            Counted taken = one.taken();
            if (!isThere(taken, there)) {
                missing++;
                listener.refused(
                        "conversation " + row.id(),
                        "the server has %d of %d messages and %d of %d participants"
                                .formatted(
                                        there.messages(),
                                        taken.messages(),
                                        there.participants(),
                                        taken.participants()));
            } else if (one.refusedHere == 0) {
                done.add(digest);
            }
        }
        old = old.plus(expected);
        found = found.plus(there);
    }

    private Answer look(String conversationId) throws GaveUpException, StoppedException, InterruptedException {
        String id = URLEncoder.encode(conversationId, StandardCharsets.UTF_8).replace("+", "%20");
        return client.get("/api/conversations/" + id + "?includeMessages=false");
    }

    private static Counted counted(Answer answer) {
        return answer.status() == 200
                ? new Counted(
                        1,
                        answer.json().path("messageCount").asLong(0),
                        answer.json().path("participants").size())
                : new Counted(0, 0, 0);
    }

    private static boolean knowsErrors(Answer answer) {
        return answer.status() == 200 && answer.json().path("errorMessage").isString();
    }

    private static boolean isThere(Counted expected, Counted there) {
        return there.conversations() >= expected.conversations()
                && there.messages() >= expected.messages()
                && there.participants() >= expected.participants();
    }

    /** A conversation on its way. */
    private final class OneConversation {

        private final WebRow row;
        private final Counted expected;
        private final boolean errorsAreKnown;
        private final List<WebRow> itsEvents;
        private final WebSession session;
        private long sent;
        private long refusedHere;
        private long refusedMessages;
        private boolean isRefused;

        OneConversation(WebRow row, Counted expected, boolean errorsAreKnown) {
            this.row = row;
            this.expected = expected;
            this.errorsAreKnown = errorsAreKnown;
            itsEvents = eventsAfter(null);
            boolean hasErrors = errorsAreKnown || itsEvents.stream().anyMatch(WebEvents::isError);
            List<WebRow> participants = source.participants(row.id(), PARTICIPANTS_MAX, PAGE_BYTES_MAX);
            session = new WebSession(row, participants, hasErrors, listener::leftOut);
            for (String column : row.tooLarge()) {
                listener.leftOut("conversation " + row.id() + ": " + column + ", which is too large");
            }
        }

        /** What the server must have, if it tells the truth. */
        Counted taken() {
            return isRefused
                    ? new Counted(0, 0, 0)
                    : new Counted(1, expected.messages() - refusedMessages, expected.participants());
        }

        void send() throws GaveUpException, StoppedException, InterruptedException {
            WebRow last = null;
            do {
                List<WebRow> page = source.messages(row.id(), last, MESSAGES_PAGE, PAGE_BYTES_MAX);
                sent += page.size();
                send(readable(page), page.isEmpty() || sent >= expected.messages());
                last = page.isEmpty() ? null : page.get(page.size() - 1);
            } while (!isRefused && last != null && sent < expected.messages());
            if (!isRefused) {
                sendEvents();
            }
        }

        private List<WebRow> readable(List<WebRow> page) {
            List<WebRow> readable = new ArrayList<>(page);
            for (WebRow message : page) {
                if (!message.tooLarge().isEmpty()) {
                    readable.remove(message);
                    refuseMessage(message, String.join(", ", message.tooLarge()) + " is larger than any server takes");
                }
            }
            return readable;
        }

        private void send(List<WebRow> messages, boolean isLast)
                throws GaveUpException, StoppedException, InterruptedException {
            Piece piece = session.piece(messages, isLast);
            listener.sending(row.id(), sent, expected.messages(), piece.gzip().length);
            Taken taken = client.take(piece);
            if (taken.isStored()) {
                messagesAdded += taken.added();
                return;
            }
            List<WebRow> good = withoutRefused(messages, taken.refusals());
            if (good.size() < messages.size()) {
                send(good, isLast);
            } else if (messages.size() > 1) {
                int half = messages.size() / 2;
                send(messages.subList(0, half), false);
                if (!isRefused) {
                    send(messages.subList(half, messages.size()), isLast);
                }
            } else if (messages.size() == 1) {
                sendWithout(messages.get(0), taken, isLast);
            } else {
                isRefused = true;
                refuse("conversation " + row.id(), text(taken.refusals()));
            }
        }

        /** One message is left, and no word on whether it is the message. */
        private void sendWithout(WebRow message, Taken taken, boolean isLast)
                throws GaveUpException, StoppedException, InterruptedException {
            send(List.of(), isLast);
            if (!isRefused) {
                refuseMessage(message, text(taken.refusals()));
            }
        }

        /** The messages that the refusals do not name. */
        private List<WebRow> withoutRefused(List<WebRow> messages, List<Refusal> refusals) {
            Map<Integer, String> reasons = new LinkedHashMap<>();
            for (Refusal refusal : refusals) {
                Matcher matcher = MESSAGE.matcher(refusal.pointer());
                if (matcher.matches() && Integer.parseInt(matcher.group(1)) < messages.size()) {
                    String member =
                            matcher.group(2) == null ? "" : matcher.group(2).substring(1) + ": ";
                    reasons.merge(Integer.valueOf(matcher.group(1)), member + refusal.detail(), (a, b) -> a + " " + b);
                }
            }
            reasons.forEach((index, reason) -> refuseMessage(messages.get(index), reason));
            List<WebRow> good = new ArrayList<>(messages);
            new TreeSet<>(reasons.keySet()).descendingSet().forEach(index -> good.remove((int) index));
            return good;
        }

        private void refuseMessage(WebRow message, String why) {
            refusedMessages++;
            refuse("message " + message.id() + " of conversation " + row.id(), why);
        }

        private void refuse(String what, String why) {
            refusedHere++;
            refused++;
            listener.refused(what, why);
        }

        private void sendEvents() throws GaveUpException, StoppedException, InterruptedException {
            List<WebRow> page = itsEvents;
            while (!page.isEmpty()) {
                List<WebRow> wanted = new ArrayList<>(page);
                if (errorsAreKnown) {
                    wanted.removeIf(WebEvents::isError);
                    count("errors of conversations whose errors the server knows", page.size() - wanted.size());
                }
                refusedHere += sendLines(wanted, row);
                page = eventsAfter(page.get(page.size() - 1));
            }
        }

        private List<WebRow> eventsAfter(WebRow last) {
            return source.events(row.id(), WebEvents.OF_CONVERSATIONS, last, EVENTS_PAGE, PAGE_BYTES_MAX);
        }
    }

    private void moveEventsOfNone() throws GaveUpException, StoppedException, InterruptedException {
        WebRow last = null;
        List<WebRow> page;
        do {
            page = source.events(null, WebEvents.OF_NONE, last, EVENTS_PAGE, PAGE_BYTES_MAX);
            sendLines(page, null);
            last = page.isEmpty() ? null : page.get(page.size() - 1);
        } while (last != null);
    }

    /** Returns how many were refused. */
    private long sendLines(List<WebRow> rows, WebRow conversation)
            throws GaveUpException, StoppedException, InterruptedException {
        if (rows.isEmpty()) {
            return 0;
        }
        Piece.Builder lines = new Piece.Builder(true, 1);
        rows.forEach(row -> lines.add(WebEvents.line(row, conversation)));
        Taken taken = client.take(lines.build());
        if (taken.isStored()) {
            count("sent as events", rows.size());
            return 0;
        }
        if (rows.size() == 1) {
            refused++;
            listener.refused("event " + rows.get(0).id(), text(taken.refusals()));
            return 1;
        }
        int half = rows.size() / 2;
        return sendLines(rows.subList(0, half), conversation)
                + sendLines(rows.subList(half, rows.size()), conversation);
    }

    private void countOtherEvents() {
        for (EventCount kind : source.eventCounts(EVENT_KINDS_MAX)) {
            boolean isSent = kind.isOfConversation()
                    ? kind.isKnown() && WebEvents.OF_CONVERSATIONS.contains(kind.type())
                    : WebEvents.OF_NONE.contains(kind.type());
            if (!isSent) {
                String why = kind.isOfConversation() && !kind.isKnown()
                        ? " of conversations that were deleted"
                        : kind.isOfConversation() ? ", which the copied rows say too" : " of no conversation";
                count(kind.type() + why + ": left out", kind.count());
            }
        }
    }

    private void count(String what, long more) {
        if (more > 0) {
            events.merge(what, more, Long::sum);
        }
    }

    private static String text(List<Refusal> refusals) {
        return String.join(
                " ",
                refusals.stream()
                        .limit(3)
                        .map(one -> (one.pointer() + " " + one.detail()).strip())
                        .toList());
    }

    public ImportResult result() {
        return new ImportResult(
                isComplete,
                conversations,
                unchanged,
                deleted,
                messagesAdded,
                refused,
                old,
                found,
                missing,
                Map.copyOf(events));
    }
}
