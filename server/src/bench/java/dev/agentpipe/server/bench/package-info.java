/**
 * {@code bin/bench}: the table in docs/benchmarks.md, from one command.
 *
 * <p>{@link dev.agentpipe.server.bench.Bench} reads the command line. {@link dev.agentpipe.server.bench.Session} owns a
 * temporary folder with an embedded PostgreSQL, gives each {@link dev.agentpipe.server.bench.Measurement} a fresh server and
 * database, warms them up, repeats, and asks {@link dev.agentpipe.server.bench.Machine} what the disk and the rest of the
 * machine did meanwhile. What is measured stands in {@code …Measurements}, the load in {@link
 * dev.agentpipe.server.bench.load}. {@link dev.agentpipe.server.bench.Report} makes the table.
 *
 * <p>It talks to 127.0.0.1 only, and ends only what it has started.
 */
package dev.agentpipe.server.bench;
