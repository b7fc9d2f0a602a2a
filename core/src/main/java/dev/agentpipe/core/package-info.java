/** The path of an event, without frameworks. */
package dev.agentpipe.core;
