package dev.agentpipe.server;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.channels.ConnectedChannel;

/**
 * How many connections there may be, and how many of one address: one host alone shall not take all of them. Asked when a
 * connection was accepted, and before anything is read from it; one too many is closed at once.
 *
 * <p>Of the end of a connection XNIO tells one listener, which is Undertow's. So nothing is counted down: closed ones are
 * looked for when there seem to be too many, and whenever there are twice as many as after the last look.
 *
 * <p>Thread-safe.
 */
final class ConnectionLimit implements Predicate<ConnectedChannel> {

    /** Beside as many streams as there may be at all, which a proxy that nobody has told of would bring from one address. */
    private static final int PER_ADDRESS_MIN = 1_000;

    private static final int ALL_MIN = 10_000;

    /** Of the process, for all that is no client. */
    private static final int FILES_RESERVED = 256;

    private static final int IPV6_NETWORK_BYTES = 8;
    private static final int LOOK_MIN = 16;
    private static final Duration TELL = Duration.ofMinutes(1);

    private static final Logger log = LoggerFactory.getLogger(ConnectionLimit.class);

    private final int perAddressMax;
    private final int allMax;
    private final Predicate<InetAddress> isExempt;
    private final LongSupplier nanoTime;

    // Guarded by this.
    private final Map<ByteBuffer, Connections> addresses = new HashMap<>();
    private int counted;
    private int lookAt = LOOK_MIN;
    private long refused;
    private long toldNanos;

    /** Of one address; some may be closed. */
    private static final class Connections {
        private List<ConnectedChannel> open = new ArrayList<>(1);
        private int lookAt = LOOK_MIN;

        int forgetClosed() {
            int before = open.size();
            open.removeIf(connection -> !connection.isOpen());
            lookAt = Math.max(LOOK_MIN, 2 * open.size());
            return before - open.size();
        }
    }

    /**
     * @param streamsMax as many as there may be
     * @param isExempt those behind which there are many; besides the machine itself
     */
    static ConnectionLimit of(int streamsMax, Predicate<InetAddress> isExempt) {
        int perAddress = streamsMax + PER_ADDRESS_MIN;
        int all = Math.max(ALL_MIN, 2 * perAddress);
        if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system) {
            long files = system.getMaxFileDescriptorCount() - FILES_RESERVED;
            if (files < all) {
                log.warn("This process may have {} files open, and so {} connections: see ulimit -n", files, files);
                all = (int) Math.max(files, FILES_RESERVED);
            }
        }
        return new ConnectionLimit(
                Math.min(perAddress, all / 2),
                all,
                address -> address.isLoopbackAddress() || isExempt.test(address),
                System::nanoTime);
    }

    ConnectionLimit(int perAddressMax, int allMax, Predicate<InetAddress> isExempt, LongSupplier nanoTime) {
        this.perAddressMax = perAddressMax;
        this.allMax = allMax;
        this.isExempt = isExempt;
        this.nanoTime = nanoTime;
        this.toldNanos = nanoTime.getAsLong() - TELL.toNanos();
    }

    /** Whether a new connection may stay. */
    @Override
    public boolean test(ConnectedChannel connection) {
        InetSocketAddress peer = connection.getPeerAddress(InetSocketAddress.class);
        if (peer == null || peer.getAddress() == null || isExempt.test(peer.getAddress())) {
            return true;
        }
        synchronized (this) {
            if (admit(network(peer.getAddress()), connection)) {
                return true;
            }
            refused++;
            long now = nanoTime.getAsLong();
            if (now - toldNanos < TELL.toNanos()) {
                return false;
            }
            toldNanos = now;
        }
        log.warn(
                "There are too many connections: {} were refused so far, the last from {}",
                refused(),
                peer.getAddress().getHostAddress());
        return false;
    }

    /** How many were closed at once. */
    synchronized long refused() {
        return refused;
    }

    /** How many are remembered, closed ones among them. */
    synchronized int counted() {
        return counted;
    }

    private boolean admit(ByteBuffer network, ConnectedChannel connection) {
        if (counted >= Math.min(lookAt, allMax)) {
            forgetClosed();
        }
        if (counted >= allMax) {
            return false;
        }
        Connections same = addresses.computeIfAbsent(network, none -> new Connections());
        if (same.open.size() >= Math.min(same.lookAt, perAddressMax)) {
            counted -= same.forgetClosed();
        }
        if (same.open.size() >= perAddressMax) {
            return false;
        }
        same.open.add(connection);
        counted++;
        return true;
    }

    private void forgetClosed() {
        addresses.values().removeIf(one -> {
            counted -= one.forgetClosed();
            return one.open.isEmpty();
        });
        lookAt = Math.max(LOOK_MIN, 2 * counted);
    }

    /** One that has IPv6 has a network of 2^64 addresses. */
    private static ByteBuffer network(InetAddress address) {
        byte[] bytes = address.getAddress();
        return ByteBuffer.wrap(address instanceof Inet6Address ? Arrays.copyOf(bytes, IPV6_NETWORK_BYTES) : bytes);
    }
}
