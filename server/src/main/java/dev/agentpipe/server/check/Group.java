package dev.agentpipe.server.check;

import java.util.List;

/**
 * Items that look at the same thing. The first one tells whether that is there; if not, the others are skipped.
 *
 * @param fix what to do if it is not
 * @param <L> the thing
 */
record Group<L>(String name, Opener<L> opener, String fix, List<Item<L>> items) {

    interface Opener<L> {
        L open() throws Exception;
    }

    /** There is nothing to look at, and nothing wrong with that. */
    static final class NotThereException extends Exception {
        NotThereException(String why) {
            super(why);
        }
    }

    Group {
        items = List.copyOf(items);
    }

    Finding finding(Item<L> item, Verdict verdict) {
        return new Finding(item.id(), name, item.title(), verdict);
    }
}
