/**
 * HTTPS in the process: certificate and key, the listener for TLS with HTTP/1.1 and HTTP/2, and what a plain port answers
 * beside it.
 *
 * <p>Input: connections, and two PEM files that may change at any time. Output: requests for the same handlers that plain
 * HTTP has. Connections belong to their I/O threads; handshakes are computed by threads of their own, and turned away when
 * too many wait; the files are looked at by housekeeping.
 */
package dev.agentpipe.server.tls;
