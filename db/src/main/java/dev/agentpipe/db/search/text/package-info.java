/**
 * Texts as the search sees them. Input: texts of messages, and what people look for. Output: {@code tsvector}s and {@code
 * tsquery}s for PostgreSQL, written as text, and snippets. Knows no database; Lucene's analysis is used here alone. Nothing
 * is shared between threads.
 */
package dev.agentpipe.db.search.text;
