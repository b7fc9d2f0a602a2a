/** The server: the composition root, its settings and its command line. */
package dev.agentpipe.server;
