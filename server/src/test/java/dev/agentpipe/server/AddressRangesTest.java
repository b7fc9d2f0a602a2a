package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.net.InetAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class AddressRangesTest {

    @ParameterizedTest
    @CsvSource({
        "10.0.0.1, 10.0.0.1, true",
        "10.0.0.1, 10.0.0.2, false",
        "10.0.0.0/8, 10.255.255.255, true",
        "10.0.0.0/8, 11.0.0.0, false",
        "192.0.2.128/25, 192.0.2.127, false",
        "192.0.2.129/25, 192.0.2.128, true",
        "0.0.0.0/0, 203.0.113.9, true",
        "0.0.0.0/0, ::1, false",
        "::/0, 10.0.0.1, false",
        "2001:db8::/32, 2001:db8:ffff::1, true",
        "2001:db8::/32, 2001:db9::, false",
        "2001:DB8::1, 2001:db8:0:0::1, true",
        "loopback, 127.8.9.10, true",
        "loopback, ::1, true",
        "loopback, 10.0.0.1, false",
        "private, 172.31.0.1, true",
        "private, 172.32.0.1, false",
        "private, fd12::1, true",
        "none, 127.0.0.1, false",
        "'10.0.0.1 , loopback,fd00::/8', fd00::7, true",
        "::ffff:10.0.0.1, 10.0.0.1, true",
    })
    void list_containsWhatItSays(String list, String address, boolean isIn) throws Exception {
        assertEquals(isIn, AddressRanges.of(list).contains(InetAddress.getByName(address)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ",",
                "10.0.0.1,",
                "localhost",
                "10.0.0",
                "10.0.0.256",
                "10.0.0.0/33",
                "10.0.0.0/",
                "10.0.0.0/-1",
                "10.0.0.0/8/8",
                "fd00::/129",
                "fd00:::1",
                "[::1]",
                "1.2.3.4:80",
                "fe80::1%eth0",
                "*",
                "Private",
                "10.0.0.0/٨",
                "10.0.0.1 10.0.0.2"
            })
    void list_ofAnythingElse_isRefused(String list) {
        assertThrows(IllegalArgumentException.class, () -> AddressRanges.of(list));
    }

    @Test
    void address_thatIsALiteral_isTakenWithoutLookingUpNames() throws Exception {
        assertEquals(InetAddress.getByName("192.0.2.1"), AddressRanges.address("::ffff:192.0.2.1"));
        for (String other :
                new String[] {"1", "256", "a", "127.1", "localhost", "::1%lo", "010.0.0.1", "", "1.2.3.4."}) {
            assertNull(AddressRanges.address(other), other);
        }
    }
}
