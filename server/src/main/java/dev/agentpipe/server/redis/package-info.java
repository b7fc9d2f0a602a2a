/**
 * Redis: what nodes tell each other to be faster, never what must be true. Without it, or while it is away, everything works
 * as on a single node. The only package that knows Jedis.
 */
package dev.agentpipe.server.redis;
