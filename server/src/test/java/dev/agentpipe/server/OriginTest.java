package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class OriginTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://app.example",
                "http://app.example:8443",
                "https://app.example:80",
                "http://localhost",
                "http://localhost:5173",
                "http://localhost:65535",
                "http://my_host",
                "https://app.example.",
                "https://xn--bcher-kva.example",
                "https://1password.example",
                "http://127.0.0.1:3000",
                "http://255.255.255.255",
                "http://[::1]:3000",
                "http://[::]",
                "http://[2001:db8::1:0:0:1]",
                "http://[2001:db8:0:1:1:1:1:1]",
                "http://[1::]"
            })
    void problem_ofWhatBrowsersSend_isNone(String text) {
        assertEquals(null, Origin.problem(text));
        assertEquals(text, new Origin(text).value());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "*",
                "https://*.app.example",
                "null",
                "app.example",
                "//app.example",
                "ftp://app.example",
                "file://",
                "https://",
                "https://:443",
                "HTTPS://app.example",
                "https://App.example",
                "https://app.example/",
                "https://app.example/page",
                "https://app.example?x",
                "https://app.example#x",
                "https://me:secret@app.example",
                "https://app.example:",
                "https://app.example:0",
                "https://app.example:443",
                "http://app.example:80",
                "http://app.example:080",
                "http://app.example:65536",
                "http://app.example:99999999999",
                "http://app.example:٣٠٠٠",
                "https://bücher.example",
                "https://app..example",
                "https://app example",
                "https://app.example,https://b.example",
                "https://app.example\r\nX: y",
                "http://127.1",
                "http://127.0.0.01",
                "http://127.0.0.256",
                "http://0x7f000001",
                "http://2130706433",
                "http://[::0001]",
                "http://[0:0:0:0:0:0:0:1]",
                "http://[2001:DB8::1]",
                "http://[2001:db8:0:0:1::1]",
                "http://[fe80::1%eth0]",
                "http://[::ffff:127.0.0.1]",
                "http://[::1",
                "http://[:::1]",
                "http://[12345::]"
            })
    void problem_ofAnythingElse_isTold(String text) {
        assertNotNull(Origin.problem(text));
        assertThrows(IllegalArgumentException.class, () -> new Origin(text));
    }
}
