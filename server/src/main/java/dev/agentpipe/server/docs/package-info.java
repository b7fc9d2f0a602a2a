/**
 * The API's description, for programs ({@code /api/openapi.json}) and for people ({@code /api/docs}).
 *
 * <p>Input: the pieces of an OpenAPI 3.1 document, resources {@code openapi/*.json}. Output: the document, and a page that is
 * made from it. Both are made at the first request, by a worker, and then answered from memory; there is nothing to fill up.
 */
package dev.agentpipe.server.docs;
