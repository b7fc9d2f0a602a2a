package dev.agentpipe.db.backup;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.agentpipe.db.postgres.PostgresUrl;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** PostgreSQL's programs go where the server goes. */
final class LibpqEnvironmentTest {

    private static void assertGives(String url, String... expected) {
        Map<String, String> all = new TreeMap<>(Map.of("PGCLIENTENCODING", "UTF8", "PGAPPNAME", "agentpipe-backup"));
        for (String pair : expected) {
            all.put(pair.substring(0, pair.indexOf('=')), pair.substring(pair.indexOf('=') + 1));
        }
        assertEquals(all, new TreeMap<>(LibpqEnvironment.of(PostgresUrl.parse(url))));
    }

    @Test
    void url_ofLibpq() {
        assertGives(
                "postgresql://us%40er:p%3Aa%20ss+@db.example:6543/na%2Fme?sslmode=verify-full&sslrootcert=/etc/ca%20x.pem"
                        + "&connect_timeout=5&target_session_attrs=read-write&prepareThreshold=0&schema=x",
                "PGUSER=us@er",
                "PGPASSWORD=p:a ss+",
                "PGHOST=db.example",
                "PGPORT=6543",
                "PGDATABASE=na/me",
                "PGSSLMODE=verify-full",
                "PGSSLROOTCERT=/etc/ca x.pem",
                "PGCONNECT_TIMEOUT=5",
                "PGTARGETSESSIONATTRS=read-write");
        assertGives(
                "postgres://u@a,[2001:db8::1]:5433,c:1/d",
                "PGUSER=u",
                "PGHOST=a,2001:db8::1,c",
                "PGPORT=5432,5433,1",
                "PGDATABASE=d");
    }

    @Test
    void url_ofJdbc() {
        assertGives(
                "jdbc:postgresql://h:1,k/d?user=u&password=p%26w&ssl=true&targetServerType=primary",
                "PGUSER=u",
                "PGPASSWORD=p&w",
                "PGHOST=h,k",
                "PGPORT=1,5432",
                "PGDATABASE=d",
                "PGSSLMODE=verify-full",
                "PGTARGETSESSIONATTRS=read-write");
        assertGives("jdbc:postgresql:d?user=u", "PGUSER=u", "PGHOST=localhost", "PGPORT=5432", "PGDATABASE=d");
    }
}
