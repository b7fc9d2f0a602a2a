/**
 * The reading side of Server-Sent Events, for the commands that try a server from outside. Input: bytes as they come;
 * output: events, handed to a consumer on the thread that feeds. It holds at most one event that is not complete yet.
 */
package dev.agentpipe.server.sse;
