/**
 * The deployment checklist: what {@code agentpipe-server check} looks at, and how it judges.
 *
 * <p>Input: the settings and a URL. Output: a {@link dev.agentpipe.server.check.Finding} for each item, in a fixed order.
 * Each group of items first looks at its own thing (the machine, PostgreSQL, Redis, the URL), then judges what it saw; the judging is
 * free of I/O, so that both sides of it can be tested. Nothing is changed anywhere. Every group has a thread, every item a
 * deadline, and so has the whole.
 */
package dev.agentpipe.server.check;
