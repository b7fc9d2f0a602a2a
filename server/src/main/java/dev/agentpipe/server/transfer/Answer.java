package dev.agentpipe.server.transfer;

import dev.agentpipe.server.transfer.Taken.Refusal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * What the server said.
 *
 * @param json its body; a missing node where that is no JSON
 */
record Answer(int status, JsonNode json) {

    boolean isStored() {
        return status == 200 || status == 201;
    }

    private long count(String member) {
        return json.path(member).asLong(0);
    }

    /** The log's name, from the stream id that a read carries: another one means another or a restored database. */
    Optional<String> epoch() {
        String position = json.path("streamPosition").asString("");
        int dash = position.lastIndexOf('-');
        return dash > 0 ? Optional.of(position.substring(0, dash)) : Optional.empty();
    }

    /** As the answer to a piece. */
    Taken taken() {
        if (isStored()) {
            return Taken.stored(count("messages_created"), count("duplicates"));
        }
        List<Refusal> refusals = new ArrayList<>();
        for (JsonNode error : json.path("errors")) {
            refusals.add(new Refusal(
                    error.path("line").asLong(0),
                    error.path("pointer").asString(""),
                    error.path("detail").asString("")));
        }
        return Taken.refused(status == 413, refusals.isEmpty() ? List.of(new Refusal(0, "", reason())) : refusals);
    }

    /** In one line, for people. */
    String reason() {
        String code = json.path("code").asString("");
        String detail = json.path("detail").asString(json.path("title").asString(""));
        return (status + " " + code + (detail.isEmpty() ? "" : ": " + detail)).strip();
    }
}
