package dev.agentpipe.server.search;

import dev.agentpipe.db.search.Search;
import dev.agentpipe.db.search.Search.Kind;
import dev.agentpipe.server.http.Answer;
import dev.agentpipe.server.http.Read;
import dev.agentpipe.server.http.ReadRequest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code GET /api/search?type=agents|models}: what a search can be narrowed down to, the commonest first. */
public final class SearchKinds implements Read {

    private static final Map<String, String> TYPES = types();

    private final Search search;

    public SearchKinds(Search search) {
        this.search = search;
    }

    private static Map<String, String> types() {
        Map<String, String> types = new LinkedHashMap<>();
        types.put("agents", "type");
        types.put("models", "model");
        return types;
    }

    @Override
    public Answer read(ReadRequest request) {
        String member = request.parameters().choice("type", TYPES, null);
        if (member == null && request.parameters().text("type", 255).isEmpty()) {
            request.parameters().violation("type", "one of " + String.join(", ", TYPES.keySet()));
        }
        request.parameters().check();
        boolean agents = member.equals("type");
        List<Kind> kinds = agents ? search.agentTypes() : search.models();
        return Answer.json(Map.of(
                agents ? "agents" : "models",
                kinds.stream().map(kind -> counted(member, kind)).toList()));
    }

    private static Map<String, Object> counted(String member, Kind kind) {
        Map<String, Object> counted = new LinkedHashMap<>();
        counted.put(member, kind.name());
        counted.put("count", kind.count());
        return counted;
    }
}
