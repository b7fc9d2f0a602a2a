package dev.agentpipe.db.search;

import static dev.agentpipe.db.generated.Tables.CONVERSATIONS;
import static org.jooq.impl.DSL.val;

import dev.agentpipe.db.search.text.DocumentParts;
import dev.agentpipe.db.search.text.DocumentParts.Weight;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.jooq.DSLContext;
import org.jooq.Param;

/** Reads what the documents of the search are made of, and writes them. */
final class SearchTexts {

    /** @param position of the message; for a description, of the event that it came with */
    record MessageKey(String conversationId, long position) {}

    record Document(String conversationId, long position, int part, DocumentParts.Part content) {}

    private SearchTexts() {}

    /** Without those that were deleted, also if they are still to be taken away. */
    static List<Document> messages(
            DSLContext sql, List<MessageKey> keys, Function<Map<String, Weight>, List<DocumentParts.Part>> toParts) {
        List<Document> documents = new ArrayList<>(keys.size());
        sql.resultQuery(
                        """
                        select conversation_id, position, content
                        from unnest({0}, {1}) as wanted (wanted_id, at)
                        join messages as m on conversation_id = wanted_id and position = at
                        where exists (select from conversations where id = wanted_id)
                            and not exists (select from deletions as d
                                where d.conversation_id = wanted_id and d.position > at)
                        order by position""",
                        val(keys.stream().map(MessageKey::conversationId).toArray(String[]::new)),
                        val(keys.stream().map(MessageKey::position).toArray(Long[]::new)))
                .forEach(row -> {
                    List<DocumentParts.Part> parts = toParts.apply(Map.of(row.get(2, String.class), Weight.TEXT));
                    for (int i = 0; i < parts.size(); i++) {
                        documents.add(new Document(row.get(0, String.class), row.get(1, Long.class), i, parts.get(i)));
                    }
                });
        return documents;
    }

    static List<Document> descriptions(
            DSLContext sql, List<MessageKey> keys, Function<Map<String, Weight>, List<DocumentParts.Part>> toParts) {
        Map<String, Long> positions = new HashMap<>();
        keys.forEach(key -> positions.merge(key.conversationId(), key.position(), Math::max));
        List<Document> documents = new ArrayList<>(keys.size());
        sql.select(
                        CONVERSATIONS.ID,
                        CONVERSATIONS.NAME,
                        CONVERSATIONS.INITIAL_PROMPT,
                        CONVERSATIONS.SUMMARY_SHORT_TEXT,
                        CONVERSATIONS.SUMMARY_TEXT)
                .from(CONVERSATIONS)
                .where(CONVERSATIONS.ID.in(positions.keySet()))
                .forEach(row -> {
                    Map<String, Weight> texts = new LinkedHashMap<>();
                    put(texts, row.value2(), Weight.TITLE);
                    put(texts, row.value3(), Weight.TITLE);
                    put(texts, row.value4(), Weight.SUMMARY);
                    put(texts, row.value5(), Weight.SUMMARY);
                    if (!texts.isEmpty()) {
                        List<DocumentParts.Part> parts = toParts.apply(texts);
                        for (int i = 0; i < parts.size(); i++) {
                            documents.add(
                                    new Document(row.value1(), positions.get(row.value1()), -1 - i, parts.get(i)));
                        }
                    }
                });
        return documents;
    }

    private static void put(Map<String, Weight> texts, String text, Weight weight) {
        if (text != null && !text.isEmpty()) {
            texts.putIfAbsent(text, weight);
        }
    }

    static void insert(DSLContext sql, List<Document> documents) {
        if (documents.isEmpty()) {
            return;
        }
        sql.query(
                        """
                        insert into search_documents (conversation_id, position, part, chars_from, chars, words)
                        select id, at, part, chars_from, chars, words::tsvector
                        from unnest({0}, {1}, {2}, {3}, {4}, {5}) as made (id, at, part, chars_from, chars, words)
                        on conflict do nothing""",
                        array(documents, String[]::new, Document::conversationId),
                        array(documents, Long[]::new, Document::position),
                        array(documents, Integer[]::new, Document::part),
                        array(
                                documents,
                                Integer[]::new,
                                document -> document.content().from()),
                        array(
                                documents,
                                Integer[]::new,
                                document -> document.content().chars()),
                        array(
                                documents,
                                String[]::new,
                                document -> document.content().words()))
                .execute();
    }

    static <T> Param<T[]> array(List<Document> documents, IntFunction<T[]> make, Function<Document, T> value) {
        return val(documents.stream().map(value).toArray(make));
    }
}
