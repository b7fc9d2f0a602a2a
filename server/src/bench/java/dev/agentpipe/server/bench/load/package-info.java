/**
 * A load client for this server alone: raw non-blocking sockets, one thread a load, next to no garbage, because it shares
 * the machine with what it measures. Time of sending and of reading are of one clock, in one process.
 *
 * <p>{@link dev.agentpipe.server.bench.load.IngestLoad} posts messages, {@link dev.agentpipe.server.bench.load.StreamLoad}
 * reads streams and checks their order, {@link dev.agentpipe.server.bench.load.Deliveries} knows which event reached how
 * many of them and when, and {@link dev.agentpipe.server.bench.load.BadReaders} do what readers should not.
 */
package dev.agentpipe.server.bench.load;
