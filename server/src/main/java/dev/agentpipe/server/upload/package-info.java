/**
 * Uploads: what was said without this server hears of it later, and all at once.
 *
 * <p>Input: bodies, on the I/O thread of their connection, which no thread waits for. They go to temporary files, in pieces
 * that worker threads write. Output: answers, after the threads {@code upload-n} have read the file twice, to check it and
 * to store it. Bodies beyond a number, or beyond their bytes together, answer 503.
 */
package dev.agentpipe.server.upload;
