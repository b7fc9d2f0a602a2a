package dev.agentpipe.server.limits;

import dev.agentpipe.server.http.Caller;
import dev.agentpipe.server.http.ClientAddress;
import io.undertow.server.HttpServerExchange;

/**
 * Whom something is counted for: a key, or an address.
 *
 * @param tally in tallies
 * @param keyId null for an address
 * @param address null for a key
 */
record Subject(String tally, String keyId, String address) {

    private static final int ID_CHARS = 8;

    /** By the characters of the digest that the key's name ends with. */
    static Subject of(Caller caller) {
        String name = caller.keyId();
        return new Subject(name.substring(name.length() - ID_CHARS), name, null);
    }

    static Subject of(HttpServerExchange exchange) {
        String address = ClientAddress.of(exchange);
        return new Subject(address, null, address);
    }

    @Override
    public String toString() {
        return keyId != null ? keyId : address;
    }
}
