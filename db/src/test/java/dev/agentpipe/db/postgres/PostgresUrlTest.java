package dev.agentpipe.db.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class PostgresUrlTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {
                "postgresql://u:p@h:5433/d jdbc:postgresql://h:5433/d",
                "postgres://u:p@h/d jdbc:postgresql://h:5432/d",
                "postgresql://u@h: jdbc:postgresql://h:5432/u",
                "postgresql://u@ jdbc:postgresql://localhost:5432/u",
                "postgresql://u@/d?host=a,b&port=1,2 jdbc:postgresql://a:1,b:2/d",
                "postgresql://u@a:1,b:2,c/d jdbc:postgresql://a:1,b:2,c:5432/d",
                "postgresql://u@[::1]:5433/d jdbc:postgresql://[::1]:5433/d",
                "postgresql://u@[2001:db8::1]/d jdbc:postgresql://[2001:db8::1]:5432/d",
                "postgresql://u@h/a%20b%2Bc%C3%A9 jdbc:postgresql://h:5432/a+b%2Bc%C3%A9",
                "postgresql://u@h/d?sslmode=require&sslrootcert=/a%20b.pem"
                        + " jdbc:postgresql://h:5432/d?sslmode=require&sslrootcert=%2Fa+b.pem",
                "postgresql://u@a,b/d?target_session_attrs=read-write&connect_timeout=3"
                        + " jdbc:postgresql://a:5432,b:5432/d?targetServerType=primary&connectTimeout=3",
                "postgresql://u@h/d?pgbouncer=true&schema=s jdbc:postgresql://h:5432/d?currentSchema=s&prepareThreshold=0",
            })
    void parse_uri_givesTheJdbcUrl(String uri, String jdbcUrl) {
        assertEquals(jdbcUrl, PostgresUrl.parse(uri).jdbcUrl());
    }

    @Test
    void parse_percentEncodedLogin_isDecoded() {
        PostgresUrl url = PostgresUrl.parse("postgresql://us%65r%40x:p%40s%3As%2F+%25%F0%9F%9A%80@h/d");

        assertEquals("user@x", url.user());
        assertEquals("p@s:s/+%🚀", url.password());
    }

    @Test
    void parse_loginInTheQuery_beatsTheOneBeforeTheHost() {
        PostgresUrl url = PostgresUrl.parse("postgresql://u:p@h/d?user=v&password=q%26&dbname=e&sslmode=disable");

        assertEquals("v", url.user());
        assertEquals("q&", url.password());
        assertEquals("jdbc:postgresql://h:5432/e?sslmode=disable", url.jdbcUrl());
    }

    @Test
    void parse_nothingButTheScheme_isAllDefaults() {
        PostgresUrl url = PostgresUrl.parse("postgresql://");

        assertEquals(System.getProperty("user.name"), url.user());
        assertEquals("jdbc:postgresql://localhost:5432/" + url.user(), url.jdbcUrl());
        assertNull(url.password());
    }

    @Test
    void parse_jdbcUrl_staysAsItIs() {
        String jdbc = "jdbc:postgresql://h/d?user=u&password=SECRET";

        assertEquals(new PostgresUrl(jdbc, null, null), PostgresUrl.parse(jdbc));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mysql://u:SECRET@h/d",
                "SECRET",
                "postgresql://u:SECRET/x@h/d",
                "postgresql://u:12/SECRET@h/d",
                "postgresql://u:SECRET?x@h/d",
                "postgresql://u:SECRET#x@h/d",
                "postgresql://u:SECRET%zz@h/d",
                "postgresql://u:SECRET%4",
                "postgresql://u:SECRET%00@h/d",
                "postgresql://u:SECRET@h:port/d",
                "postgresql://u:SECRET@h:0/d",
                "postgresql://u:SECRET@h:65536/d",
                "postgresql://u:SECRET@[::1/d",
                "postgresql://u:SECRET@x[::1]/d",
                "postgresql://u:SECRET@h/d?SECRET",
                "postgresql://u:SECRET@%2Fvar%2Frun/d",
                "postgresql://u:SECRET@/d?host=/var/run",
            })
    void parse_malformed_saysWhatIsWrongWithoutThePassword(String uri) {
        IllegalArgumentException wrong = assertThrows(
                IllegalArgumentException.class, () -> DatabaseSettings.of(uri, null, 2, 10, Duration.ofSeconds(30)));

        assertFalse(wrong.getMessage().contains("SECRET"), wrong.getMessage());
        assertEquals("DATABASE_URL: ", wrong.getMessage().substring(0, 14));
    }

    @Test
    void toString_neverHoldsThePassword() {
        for (String url : new String[] {"postgresql://u:SECRET@h/d", "jdbc:postgresql://h/d?password=SECRET"}) {
            DatabaseSettings settings = DatabaseSettings.of(url, url, 2, 10, Duration.ofSeconds(30));

            assertFalse(settings.toString().contains("SECRET"), settings.toString());
            assertFalse(PostgresUrl.parse(url).toString().contains("SECRET"));
        }
    }

    @Test
    void settings_ofAnImpossiblePool_areRefused() {
        String url = "postgresql://u@h/d";
        Duration timeout = Duration.ofSeconds(30);

        assertThrows(IllegalArgumentException.class, () -> DatabaseSettings.of(url, null, 0, 2, timeout));
        assertThrows(IllegalArgumentException.class, () -> DatabaseSettings.of(url, null, 5, 4, timeout));
        assertThrows(IllegalArgumentException.class, () -> DatabaseSettings.of(url, null, -1, 4, timeout));
        assertThrows(IllegalArgumentException.class, () -> DatabaseSettings.of(url, null, 1, 4, Duration.ZERO));
    }
}
