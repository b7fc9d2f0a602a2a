package dev.agentpipe.server.stream;

import dev.agentpipe.core.broadcast.CloseReason;
import dev.agentpipe.core.broadcast.Lane;
import dev.agentpipe.core.broadcast.Outlet;
import dev.agentpipe.core.broadcast.Subscription;
import dev.agentpipe.core.event.EventFilter;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;

/**
 * A reader that is no connection: whatever a lane says to it comes back, if the lane works. It watches a conversation that
 * does not exist, so it costs the others nothing. Confined to the lane's thread.
 */
final class Echo implements Outlet {

    /** Nothing that is written by itself, such as a heartbeat, begins with it. */
    private static final byte[] CALL = {0};

    private final Lane lane;
    private final Subscription subscription;
    private Runnable heard;

    Echo(Lane lane) {
        this.lane = lane;
        EventFilter nothing = new EventFilter(Set.of(UUID.randomUUID().toString()), Set.of());
        this.subscription = new Subscription(nothing, 0, this, lane.position(), Duration.ZERO);
        lane.attach(subscription);
    }

    /** @param heard called when it has come back; the call before, if it has not, is forgotten */
    void call(Runnable heard) {
        this.heard = heard;
        lane.say(subscription, CALL);
    }

    @Override
    public int write(ByteBuffer bytes) {
        int count = bytes.remaining();
        boolean isCall = count > 0 && bytes.get(bytes.position()) == CALL[0];
        bytes.position(bytes.limit());
        if (isCall && heard != null) {
            Runnable told = heard;
            heard = null;
            told.run();
        }
        return count;
    }

    @Override
    public void awaitWritable() {
        throw new IllegalStateException("it takes everything");
    }

    @Override
    public void close(CloseReason reason) {
        heard = null;
    }
}
