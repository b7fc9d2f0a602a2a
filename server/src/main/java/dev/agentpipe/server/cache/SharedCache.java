package dev.agentpipe.server.cache;

import java.util.Optional;

/**
 * A cache that several nodes share. Neither method throws or waits for long: what it does not have, or cannot say now, is
 * read from the database.
 */
public interface SharedCache {

    /** The cache of a node that shares none. */
    SharedCache NONE = new SharedCache() {
        @Override
        public Optional<byte[]> get(String key) {
            return Optional.empty();
        }

        @Override
        public void put(String key, byte[] value) {}

        @Override
        public boolean removeAll(String prefix) {
            return true;
        }
    };

    Optional<byte[]> get(String key);

    /** Keeps it for a minute or so. */
    void put(String key, byte[] value);

    /** Removes all whose keys begin so; whether that could be done. Takes longer than the others. */
    boolean removeAll(String prefix);
}
