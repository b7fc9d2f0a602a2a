/** The log and its projections in PostgreSQL. jOOQ's types never leave this package. */
package dev.agentpipe.db;
