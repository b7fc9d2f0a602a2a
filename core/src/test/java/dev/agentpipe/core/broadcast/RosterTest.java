package dev.agentpipe.core.broadcast;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.EventFilter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RosterTest {

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5})
    void anyOperations_inAnyOrder_keepBothParts(int seed) {
        Random random = new Random(seed);
        Roster roster = new Roster();
        List<Subscription> members = new ArrayList<>();
        Set<Subscription> unswept = new HashSet<>();
        for (int i = 0; i < 20_000; i++) {
            int most = 1 + (i / 1_000 % 20); // full and empty again and again
            switch (random.nextInt(4)) {
                case 0 -> {
                    if (members.size() < most) {
                        Subscription one = new Subscription(EventFilter.ALL, 0, new FakeOutlet(), 0, Duration.ZERO);
                        roster.add(one);
                        members.add(one);
                    }
                }
                case 1 -> {
                    if (!members.isEmpty()) {
                        Subscription one = members.remove(random.nextInt(members.size()));
                        roster.remove(one);
                        unswept.remove(one);
                    }
                }
                case 2 -> {
                    if (roster.hasUnswept()) {
                        unswept.remove(roster.unswept());
                        roster.sweptOne();
                    }
                }
                default -> {
                    if (random.nextInt(8) == 0) {
                        roster.beginStep();
                        unswept.addAll(members);
                    }
                }
            }
            assertHolds(roster, members, unswept);
        }
    }

    private static void assertHolds(Roster roster, List<Subscription> members, Set<Subscription> unswept) {
        assertEquals(members.size(), roster.size());
        assertEquals(!unswept.isEmpty(), roster.hasUnswept());
        if (roster.hasUnswept()) {
            assertTrue(unswept.contains(roster.unswept()));
        }
        for (Subscription one : members) {
            assertSame(one, roster.get(one.slot));
            assertEquals(unswept.contains(one), roster.isUnswept(one));
        }
    }
}
