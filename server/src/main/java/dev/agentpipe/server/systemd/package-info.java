/**
 * What systemd is told of the service: that it is ready, that it works, that it stops. Input: the environment that systemd
 * gives, and looks at the server; output: notifications by the program {@code systemd-notify}. Without systemd all of it does
 * nothing. A thread of its own, {@code watchdog}; nothing waits for it.
 */
package dev.agentpipe.server.systemd;
