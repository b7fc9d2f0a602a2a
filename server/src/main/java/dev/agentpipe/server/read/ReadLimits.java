package dev.agentpipe.server.read;

/** How much one answer has. */
final class ReadLimits {

    static final int LIST_DEFAULT = 20;
    static final int LIST_MAX = 100;

    /** What lies in front of a page of a list is walked over; further on, a cursor knows the place. */
    static final int LIST_OFFSET_MAX = 10_000;

    static final int MESSAGES_DEFAULT = 50;
    static final int MESSAGES_MAX = 1_000;
    static final int MESSAGES_OFFSET_MAX = 1_000_000;

    /** Messages in the answer about a conversation. */
    static final int DETAIL_MESSAGES_MAX = 10_000;

    static final int RECENT_DEFAULT = 10;
    static final int RECENT_MAX = 50;

    /** Contents of an answer's messages, in UTF-8. */
    static final long CONTENT_BYTES_MAX = 8 << 20;

    static final int WORD_CHARS_MAX = 255;

    /** Longer than any that is given out: an id of 255 characters takes 1,360. */
    static final int CURSOR_CHARS_MAX = 3_000;

    private ReadLimits() {}
}
