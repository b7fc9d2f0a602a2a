package dev.agentpipe.db.keys;

import java.time.Instant;
import java.util.List;

/**
 * A key as it is stored: without its secret.
 *
 * @param id 8 characters of the digest, in hexadecimal
 * @param digest SHA-256 of the secret, in hexadecimal
 * @param prefix with which the secret begins
 * @param expiresAt null: never
 * @param revokedAt null while it is not
 * @param lastUsedAt null if it never was; late by up to two minutes
 */
public record StoredKey(
        String id,
        String digest,
        String prefix,
        String name,
        List<String> scopes,
        Instant createdAt,
        String createdBy,
        Instant expiresAt,
        Instant revokedAt,
        String revokedBy,
        Instant lastUsedAt) {

    public StoredKey {
        scopes = List.copyOf(scopes);
    }

    /** How it is named for people, such as {@code ap_live_…1f3a9c02}. */
    public String label() {
        return prefix + "…" + id;
    }

    public boolean isUsable(Instant now) {
        return revokedAt == null && (expiresAt == null || now.isBefore(expiresAt));
    }
}
