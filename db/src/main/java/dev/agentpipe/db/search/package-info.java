/**
 * The search: what was said, found by its words.
 *
 * <p>Input: the log, which one thread brings into the index in steps; and questions, from any thread that may block. Output:
 * conversations, ranked, with the places where the words stand. What the index does not have yet is looked at for each
 * question, and bounded, as is what is ranked and how long it may take: past a bound the answer says that it is not complete.
 */
package dev.agentpipe.db.search;
