/**
 * Moves what exists elsewhere into a running server, through its HTTP API: event files and sessions ({@code Upload}), and the
 * conversations of an agentpipe-web database ({@code Import}). Input: files, or rows that {@code db} reads; output: requests to
 * {@code POST /api/sessions/upload}, and what became of each piece. Everything runs on the thread that calls; one piece
 * is under way and in memory at a time. A server that is full is waited for, with an end.
 */
package dev.agentpipe.server.transfer;
