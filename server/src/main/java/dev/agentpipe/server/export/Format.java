package dev.agentpipe.server.export;

import dev.agentpipe.db.export.Transcript;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/** What an export can be. */
enum Format {
    JSON("json", "json", "application/json; charset=utf-8", JsonFile::new),
    JSONL("jsonl", "jsonl", "application/x-ndjson; charset=utf-8", JsonLinesFile::new),
    CSV("csv", "csv", "text/csv; charset=utf-8; header=present", CsvFile::new),
    MARKDOWN("markdown", "md", "text/markdown; charset=utf-8", MarkdownFile::new);

    /** By the names in a URL. */
    static final Map<String, Format> BY_NAME = byName();

    private final String label;
    private final String extension;
    private final String contentType;
    private final Function<Transcript, TranscriptFile> file;

    Format(String label, String extension, String contentType, Function<Transcript, TranscriptFile> file) {
        this.label = label;
        this.extension = extension;
        this.contentType = contentType;
        this.file = file;
    }

    private static Map<String, Format> byName() {
        Map<String, Format> formats = new LinkedHashMap<>();
        for (Format format : values()) {
            formats.put(format.label, format);
        }
        return formats;
    }

    String extension() {
        return extension;
    }

    String contentType() {
        return contentType;
    }

    TranscriptFile of(Transcript transcript) {
        return file.apply(transcript);
    }
}
