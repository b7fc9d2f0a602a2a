/**
 * The command line: {@code serve}, {@code smoke}, {@code bench}, {@code upload}, {@code import}, {@code check}, {@code migrate}, {@code config}, {@code version}. Input: arguments and environment; output: text for
 * people and an exit code: 0 for done, 1 for failed, 2 for wrong usage or configuration. Everything runs on the thread
 * that calls, and on the JVM's shutdown thread.
 */
package dev.agentpipe.server.cli;
