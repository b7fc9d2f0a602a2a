package dev.agentpipe.server.transfer;

/** Whom an import tells how it goes; called by its thread. */
public interface ImportListener {

    void begin(long number, long conversations, String conversationId);

    void sending(String conversationId, long messages, long of, int compressedBytes);

    /** Something was not moved; the import goes on. */
    void refused(String what, String why);

    /** Something was moved without a value that is none, such as a cost of NaN. */
    void leftOut(String what);
}
