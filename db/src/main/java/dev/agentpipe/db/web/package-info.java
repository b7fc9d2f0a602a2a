/**
 * Another program's database, that of an agentpipe-web, read for moving in.
 *
 * <p>Input: its URL. Output: its conversations, row by row, as they were at one moment; nothing is changed. One thread at a
 * time. A value that is too large is left in its row and named.
 */
package dev.agentpipe.db.web;
