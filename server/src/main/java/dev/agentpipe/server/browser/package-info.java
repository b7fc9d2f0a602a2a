/**
 * What browsers are told beside an answer: which pages may read it, and what it must never be taken for. In: every request,
 * before anything else looks at it; out: headers. Runs on the request's I/O thread and keeps nothing.
 */
package dev.agentpipe.server.browser;
