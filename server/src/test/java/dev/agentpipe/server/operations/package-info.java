/** Tests of what {@code conf/prometheus} and {@code conf/grafana} hold: with Prometheus's own promtool, and against docs/METRICS.md. */
package dev.agentpipe.server.operations;
