package dev.agentpipe.server.stream;

import dev.agentpipe.core.broadcast.Loop;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.ChannelPipe;
import org.xnio.IoUtils;
import org.xnio.XnioIoThread;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.channels.StreamSourceChannel;

/**
 * An I/O thread of XNIO as a lane's loop. XNIO knows only "at once", before the thread looks at its connections again, and
 * "in a millisecond or more". "After one look" is had from a pipe that holds a byte nobody reads: each look finds it
 * ready, beside all connections that are.
 *
 * <p>{@link #execute} is thread-safe; all else belongs to the I/O thread.
 */
final class IoLoop implements Loop, AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(IoLoop.class);

    private final XnioIoThread thread;
    private final ChannelPipe<StreamSourceChannel, StreamSinkChannel> pipe;
    private final ArrayDeque<Runnable> later = new ArrayDeque<>();

    IoLoop(XnioIoThread thread) {
        this.thread = thread;
        try {
            this.pipe = thread.createHalfDuplexPipe();
            pipe.getRightSide().write(ByteBuffer.wrap(new byte[1]));
        } catch (IOException e) {
            throw new UncheckedIOException("no pipe for an I/O thread", e);
        }
        pipe.getLeftSide().getReadSetter().set(ready -> looked());
    }

    @Override
    public void execute(Runnable task) {
        thread.execute(task);
    }

    @Override
    public void executeLater(Runnable task) {
        later.add(task);
        pipe.getLeftSide().resumeReads();
    }

    private void looked() {
        for (int i = later.size(); i > 0; i--) {
            try {
                later.remove().run();
            } catch (RuntimeException e) {
                log.error("A task of a stream's loop has failed", e);
            }
        }
        if (later.isEmpty()) {
            pipe.getLeftSide().suspendReads();
        }
    }

    @Override
    public void close() {
        IoUtils.safeClose(pipe.getRightSide());
        IoUtils.safeClose(pipe.getLeftSide());
    }
}
