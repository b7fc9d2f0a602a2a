package dev.agentpipe.server.check;

import java.net.URI;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class RedisItemsTest {

    private static final Map<String, String> MEMORY =
            Map.of("maxmemory", "1000", "used_memory", "850", "maxmemory_policy", "allkeys-lru");

    @Test
    void version_isKnownToWork() {
        Judged.ok(RedisItems.version(Map.of("redis_version", "6.2.6")), "6.2.6");
        Judged.ok(RedisItems.version(Map.of("redis_version", "10.0.1")));
        Judged.ok(RedisItems.version(Map.of("redis_version", "7.2.4", "valkey_version", "8.1.0")), "8.1.0");
        Judged.failed(RedisItems.version(Map.of("redis_version", "6.0.16")), "6.2 or newer");
    }

    @Test
    void role_isThatOfAMaster() {
        Judged.ok(RedisItems.role(Map.of("role", "master")));
        Judged.failed(RedisItems.role(Map.of("role", "slave")), "a replica");
    }

    @Test
    void memory_isLimitedAndOldEntriesGo() {
        Judged.ok(RedisItems.memory(MEMORY), "85 %");
        Judged.warning(RedisItems.memory(Map.of("maxmemory", "0", "used_memory", "2048")), "no limit, 2.0 KiB used");
        Map<String, String> half = Map.of("maxmemory", "1000", "used_memory", "500", "maxmemory_policy", "noeviction");
        Judged.warning(RedisItems.memory(half), "full, it refuses");
        Map<String, String> full = Map.of("maxmemory", "1000", "used_memory", "860", "maxmemory_policy", "noeviction");
        Judged.failed(RedisItems.memory(full), "soon it refuses");
    }

    @Test
    void persistence_thatFails_refusesWrites() {
        Judged.ok(RedisItems.persistence(Map.of("rdb_last_bgsave_status", "ok", "aof_enabled", "0")), "snapshots");
        Judged.ok(RedisItems.persistence(Map.of("aof_enabled", "1", "aof_last_write_status", "ok")), "append-only");
        Judged.failed(RedisItems.persistence(Map.of("rdb_last_bgsave_status", "err")), "cannot save");
        Judged.failed(RedisItems.persistence(Map.of("aof_last_write_status", "err")), "cannot save");
    }

    @Test
    void clients_leaveSomeRoom() {
        Judged.ok(RedisItems.clients(Map.of("maxclients", "100", "connected_clients", "85")));
        Judged.warning(RedisItems.clients(Map.of("maxclients", "100", "connected_clients", "86")), "86 of 100");
    }

    @Test
    void access_overANetwork_takesPasswordAndEncryption() {
        Judged.ok(RedisItems.access(URI.create("redis://127.0.0.1:6379"), null), "this machine");
        Judged.failed(RedisItems.access(URI.create("rediss://cache.example"), null), "without a password");
        Judged.warning(RedisItems.access(URI.create("redis://cache.example"), "token"), "rediss://");
        Judged.ok(RedisItems.access(URI.create("rediss://u:p@cache.example"), null));
    }
}
