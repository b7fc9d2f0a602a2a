/**
 * What the server measures of itself, in Micrometer's terms; docs/METRICS.md has all of it.
 *
 * <p>Input: what the path of an event, the database and HTTP tell ({@link dev.agentpipe.core.Telemetry}, {@link
 * dev.agentpipe.db.postgres.DatabaseTelemetry}), and what all parts know anyway, which is read when somebody asks. Output: a
 * registry, and its text for Prometheus. Called by any thread; the thread {@code metrics} writes the text, one at a time, and
 * refuses with 503 when too many ask at once. Labels have a fixed number of values, so nothing grows.
 */
package dev.agentpipe.server.metrics;
