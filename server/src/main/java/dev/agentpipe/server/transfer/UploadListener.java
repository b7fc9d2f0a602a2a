package dev.agentpipe.server.transfer;

/** Whom an upload tells how it goes; called by its thread. */
public interface UploadListener {

    void begin(int number, int files, String file);

    void sending(long lineFrom, int lines, int compressedBytes);

    void done(FileOutcome outcome);
}
