package dev.agentpipe.server.check;

import dev.agentpipe.server.Settings;
import dev.agentpipe.server.check.Group.NotThereException;
import dev.agentpipe.server.redis.RedisInspection;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Redis, which holds limits and answers for a minute: nothing that is lost when it is. */
final class RedisItems {

    private static final Set<String> THIS_MACHINE = Set.of("localhost", "127.0.0.1", "[::1]");
    private static final int VERSION_MIN = 6_002;
    private static final int USED_PERCENT_MAX = 85;

    private RedisItems() {}

    static Group<RedisInspection> group(Subject subject) {
        return new Group<>(
                "redis",
                () -> {
                    Settings.Redis redis = subject.settings()
                            .redis()
                            .orElseThrow(() -> new NotThereException("REDIS_URL is not set: fine for one server"));
                    return RedisInspection.of(redis.url(), redis.token());
                },
                "start Redis, or mend REDIS_URL and REDIS_TOKEN",
                List.of(
                        new Item<>("redis", "Redis answers", RedisItems::reached),
                        new Item<>("redis_version", "its version is known to work", look -> version(look.info())),
                        new Item<>("redis_role", "it takes writes", look -> role(look.info())),
                        new Item<>("redis_memory", "a memory limit, and what goes first", look -> memory(look.info())),
                        new Item<>("redis_persistence", "it does not refuse writes", look -> persistence(look.info())),
                        new Item<>("redis_clients", "connections that are left", look -> clients(look.info())),
                        new Item<>(
                                "redis_access",
                                "who else can get at it",
                                look -> access(
                                        subject.settings().redis().orElseThrow().url(),
                                        subject.settings().redis().orElseThrow().token())),
                        new Item<>(
                                "redis_clock",
                                "its clock and this machine's",
                                look -> DatabaseItems.clock("Redis's", look.clockAhead()))));
    }

    private static Verdict reached(RedisInspection look) {
        return Verdict.ok("%s, %s a question".formatted(number(look.info()), Amounts.time(look.roundTrip())));
    }

    private static String number(Map<String, String> info) {
        return info.getOrDefault("valkey_version", info.getOrDefault("redis_version", "0"));
    }

    static Verdict version(Map<String, String> info) {
        String number = number(info);
        String[] parts = number.split("\\.");
        int comparable = Integer.parseInt(parts[0]) * 1_000 + (parts.length > 1 ? Integer.parseInt(parts[1]) : 0);
        return comparable < VERSION_MIN
                ? Verdict.failed(
                        number + ": 6.2 or newer is needed", "apt-get install redis-server, of Debian 12 or newer")
                : Verdict.ok(number);
    }

    static Verdict role(Map<String, String> info) {
        return info.getOrDefault("role", "master").equals("master")
                ? Verdict.ok("a master")
                : Verdict.failed("a replica, which takes no writes", "name the master in REDIS_URL");
    }

    static Verdict memory(Map<String, String> info) {
        long max = number(info, "maxmemory");
        long used = number(info, "used_memory");
        String policy = info.getOrDefault("maxmemory_policy", "noeviction");
        String set = "maxmemory 256mb and maxmemory-policy allkeys-lru in redis.conf";
        if (max == 0) {
            return Verdict.warning(
                    "no limit, %s used: it may take all of the machine".formatted(Amounts.bytes(used)), set);
        }
        int percent = Amounts.percent(used, max);
        String is = "%d %% of %s, %s".formatted(percent, Amounts.bytes(max), policy);
        if (policy.equals("noeviction")) {
            String fix = "config set maxmemory-policy allkeys-lru, and the same in redis.conf";
            return percent > USED_PERCENT_MAX
                    ? Verdict.failed(is + ": soon it refuses all writes", fix)
                    : Verdict.warning(is + ": full, it refuses all writes", fix);
        }
        return Verdict.ok(is);
    }

    /** None is needed; but one that fails makes Redis refuse writes. */
    static Verdict persistence(Map<String, String> info) {
        boolean fails =
                "err".equals(info.get("rdb_last_bgsave_status")) || "err".equals(info.get("aof_last_write_status"));
        if (fails) {
            return Verdict.failed(
                    "it cannot save, and refuses writes by default",
                    "look into its log, mostly the disk is full; or  config set save \"\"");
        }
        return Verdict.ok(
                "1".equals(info.get("aof_enabled"))
                        ? "append-only file; this program needs none"
                        : "snapshots at most; this program needs none");
    }

    static Verdict clients(Map<String, String> info) {
        long max = number(info, "maxclients");
        long connected = number(info, "connected_clients");
        String is = connected + (max == 0 ? "" : " of " + max);
        return max > 0 && Amounts.percent(connected, max) > USED_PERCENT_MAX
                ? Verdict.warning(is, "maxclients 10000 in redis.conf")
                : Verdict.ok(is);
    }

    static Verdict access(URI url, String token) {
        if (THIS_MACHINE.contains(url.getHost())) {
            return Verdict.ok("on this machine");
        }
        if (token == null && url.getRawUserInfo() == null) {
            return Verdict.failed(
                    "over the network, without a password: whoever reaches it reads answers and lifts limits",
                    "requirepass in redis.conf, and REDIS_TOKEN");
        }
        return url.getScheme().equals("rediss")
                ? Verdict.ok("encrypted, with a password")
                : Verdict.warning("not encrypted: the network between can read the password", "rediss:// in REDIS_URL");
    }

    private static long number(Map<String, String> info, String name) {
        String value = info.getOrDefault(name, "0");
        return value.matches("\\d{1,18}") ? Long.parseLong(value) : 0;
    }
}
