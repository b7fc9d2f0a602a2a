package dev.agentpipe.core.event;

import dev.agentpipe.core.event.UploadCheck.Place;
import dev.agentpipe.core.event.UploadCheck.TooLarge;
import dev.agentpipe.core.event.UploadCheck.ValidSession;
import dev.agentpipe.core.redact.Redactor;
import java.io.IOException;
import java.io.InputStream;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/**
 * Reads sessions, {@code {"conversation":{…},"agents":[…],"messages":[…]}}, with the members in any order: the door from
 * untrusted bytes to events for documents that are too large for memory. A document is read twice, first to check all of
 * it, then to store its messages. In memory are one message at a time, and the conversation and its agents, which may
 * be as large as an event.
 *
 * <p>Names may come only once in an object, as in events. Thread-safe.
 */
public final class SessionReader {

    private final EventLimits eventLimits;
    private final UploadLimits limits;
    private final Redactor redactor;
    private final JsonFactory json;

    public SessionReader(EventLimits eventLimits, UploadLimits limits, Redactor redactor) {
        this.eventLimits = eventLimits;
        this.limits = limits;
        this.redactor = redactor;
        json = JsonFactory.builder()
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(eventLimits.depthMax())
                        .maxNameLength(eventLimits.nameBytesMax())
                        .maxStringLength(eventLimits.eventBytesMax())
                        .maxNumberLength(eventLimits.eventBytesMax())
                        .build())
                .build();
    }

    /** @throws IOException if the document cannot be read, or unpacked */
    public UploadCheck check(InputStream in) throws IOException {
        MessageDigest digest = Identity.sha256();
        UploadViolations violations = new UploadViolations(limits.violationsMax());
        SessionBuilder builder = new SessionBuilder(eventLimits, limits, violations);
        try {
            InputStream bounded = new BoundedInput(new DigestInputStream(in, digest), limits.bytesMax());
            new SessionParser(json, bounded, eventLimits, violations, redactor).read(builder);
            Session session = builder.session(digest.digest());
            return violations.isEmpty() ? new ValidSession(session) : violations.invalid();
        } catch (BoundedInput.ExceededException e) {
            return new TooLarge("An upload may have " + limits.bytesMax() + " bytes, unpacked.");
        } catch (SessionBuilder.TooManyMessagesException e) {
            return new TooLarge("An upload may have " + limits.messagesMax() + " messages.");
        } catch (SessionParser.MalformedException e) {
            violations.add(e.code(), new Place(null, e.pointer(), e.getMessage()));
            return violations.invalid();
        }
    }

    /** Hands on the messages of a document that was checked. */
    public void readMessages(InputStream in, Session session, EventSink sink) throws IOException {
        UploadViolations violations = new UploadViolations(limits.violationsMax());
        MessageBuilder messages = new MessageBuilder(session.conversationId(), eventLimits, violations);
        new SessionParser(json, in, eventLimits, violations, redactor).read(new SessionParser.Parts() {
            @Override
            public void message(int index, Members members) {
                sink.accept(index, messages.build(index, members));
            }
        });
    }
}
