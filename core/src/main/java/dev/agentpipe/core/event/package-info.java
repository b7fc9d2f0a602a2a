/**
 * Stage 1 of the path: untrusted bytes become events.
 *
 * <p>Input: the body of a request. Output: {@link dev.agentpipe.core.event.Event}s, and every {@link
 * dev.agentpipe.core.event.Violation} of those that are none. {@link dev.agentpipe.core.event.EventReader} is the only
 * door; what has passed it needs no further check anywhere. It holds no state between two bodies and runs on the thread
 * that calls it (in the server: an I/O thread). Nothing is queued here; a body past a limit of {@link
 * dev.agentpipe.core.event.EventLimits} is refused.
 */
package dev.agentpipe.core.event;
