package dev.agentpipe.server.tls;

import java.nio.file.Path;

/** A certificate or key cannot be used; the message names the file and says what to do, and holds nothing of the key. */
public final class UnusableCertificateException extends Exception {

    UnusableCertificateException(Path file, String what) {
        super(file + " " + what);
    }
}
