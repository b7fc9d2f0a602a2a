/**
 * Takes secrets out of what is stored: between the bytes of a body and the events that stage 1 makes of them.
 *
 * <p>Input: the JSON or the text of an event. Output: the same with each secret replaced by a mark, or nothing at all where
 * there is none. {@link dev.agentpipe.core.redact.Redactor} is the only door; it runs on the thread that calls it and keeps
 * nothing but counts. Time is linear in the input, whatever it is, and memory is that of its longest string.
 */
package dev.agentpipe.core.redact;
