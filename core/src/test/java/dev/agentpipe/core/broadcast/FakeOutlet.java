package dev.agentpipe.core.broadcast;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A connection with as much room as the test gives it. */
final class FakeOutlet implements Outlet {

    /** How many bytes it takes before it is full. */
    long room = Long.MAX_VALUE;

    boolean broken;
    boolean wantsWritable;
    CloseReason closed;
    int writes;

    /** What happens at each write, before it. */
    Runnable onWrite = () -> {};

    private final ByteArrayOutputStream taken = new ByteArrayOutputStream();

    @Override
    public int write(ByteBuffer bytes) throws IOException {
        if (closed != null) {
            throw new AssertionError("written after it was closed");
        }
        if (broken) {
            throw new IOException("broken pipe");
        }
        writes++;
        onWrite.run();
        int some = (int) Math.min(room, bytes.remaining());
        byte[] copy = new byte[some];
        bytes.get(copy);
        taken.writeBytes(copy);
        room -= some;
        return some;
    }

    @Override
    public void awaitWritable() {
        wantsWritable = true;
    }

    @Override
    public void close(CloseReason reason) {
        if (closed != null) {
            throw new AssertionError("closed twice");
        }
        closed = reason;
    }

    String text() {
        return taken.toString(StandardCharsets.UTF_8);
    }

    /** The positions of the whole frames that arrived, heartbeats left out. */
    List<Long> positions() {
        List<Long> positions = new ArrayList<>();
        for (String part : text().split(";")) {
            if (part.contains(":")) {
                positions.add(Long.parseLong(part.substring(part.startsWith("#") ? 1 : 0, part.indexOf(':'))));
            }
        }
        return positions;
    }
}
