package dev.agentpipe.server.fuzz;

import dev.agentpipe.server.RawHttp;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** Sends requests over one connection, all at once, and reads what is answered to the end. */
final class Wire {

    private static final Pattern STATUS = Pattern.compile("HTTP/1\\.1 (\\d{3}) [A-Z]");
    private static final String PROBLEM = "Content-Type: application/problem+json";

    /** @param text all of them, as they came */
    record Answers(List<Integer> statuses, String text) {

        @Override
        public String toString() {
            return statuses + " …" + text.substring(Math.max(0, text.length() - 600));
        }

        boolean isAllRefused() {
            return statuses.stream().allMatch(status -> status >= 400);
        }

        /** What is the server's fault, or no answer that a program could use; null if nothing is. */
        String fault(int requests) {
            if (statuses.stream().anyMatch(status -> status >= 500)) {
                return "its own fault";
            }
            int last = statuses.isEmpty() ? 400 : statuses.get(statuses.size() - 1);
            boolean isCutShort = statuses.size() < requests;
            if (statuses.size() > requests || isCutShort && last != 400) {
                return statuses.size() + " answers to " + requests;
            }
            long refused = statuses.stream().filter(status -> status >= 400).count();
            long told = Pattern.compile(PROBLEM, Pattern.LITERAL)
                    .matcher(text)
                    .results()
                    .count();
            return told < refused - (isCutShort ? 1 : 0) ? "an error without a problem" : null;
        }
    }

    private Wire() {}

    /** @param requests the last of which asks for the end of the connection; if {@code isOpenEnded}, it is ended here */
    static Answers exchange(int port, List<byte[]> requests, boolean isOpenEnded) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        requests.forEach(all::writeBytes);
        try (RawHttp http = RawHttp.open(port)) {
            try {
                http.write(all.toByteArray());
                if (isOpenEnded) {
                    http.endOutput();
                }
            } catch (IOException closed) {
                // It has answered, and heard enough.
            }
            String text = http.readToEnd();
            List<Integer> statuses = STATUS.matcher(text)
                    .results()
                    .map((MatchResult found) -> Integer.valueOf(found.group(1)))
                    .toList();
            return new Answers(statuses, text);
        }
    }

    static byte[] request(String line, byte[] body, boolean isLast, String... headers) {
        String head = RawHttp.head(line + " HTTP/1.1", body.length, headers);
        if (isLast) {
            head = head.replaceFirst("\r\n", "\r\nConnection: close\r\n");
        }
        ByteArrayOutputStream request = new ByteArrayOutputStream();
        request.writeBytes(head.getBytes(StandardCharsets.UTF_8));
        request.writeBytes(body);
        return request.toByteArray();
    }
}
