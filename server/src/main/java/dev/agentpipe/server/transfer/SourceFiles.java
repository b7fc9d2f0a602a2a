package dev.agentpipe.server.transfer;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The files that arguments mean. Folders are searched, without following links, for event files; what a folder holds
 * besides is none of our business.
 *
 * @param files in the order of the arguments, and of their names within a folder; each once
 * @param problems what could not be looked at, and why
 */
public record SourceFiles(List<SourceFile> files, Map<String, String> problems) {

    private static final String EVENT_FILE = "(?is).*\\.(jsonl|ndjson|json)(\\.gz)?";

    public static SourceFiles find(List<String> arguments) {
        Set<SourceFile> files = new LinkedHashSet<>();
        Map<String, String> problems = new LinkedHashMap<>();
        for (String argument : arguments) {
            if (argument.equals(SourceFile.STANDARD_INPUT)) {
                files.add(new SourceFile(null, true));
                continue;
            }
            Path path = Path.of(argument);
            if (Files.isDirectory(path)) {
                search(path, files, problems);
            } else if (Files.exists(path)) {
                files.add(new SourceFile(path, true));
            } else {
                problems.put(argument, "no such file or folder");
            }
        }
        return new SourceFiles(List.copyOf(files), problems);
    }

    private static void search(Path folder, Set<SourceFile> files, Map<String, String> problems) {
        List<Path> found = new ArrayList<>();
        try {
            Files.walkFileTree(folder, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    boolean isFile =
                            attributes.isRegularFile() || attributes.isSymbolicLink() && Files.isRegularFile(file);
                    if (isFile && file.getFileName().toString().matches(EVENT_FILE)) {
                        found.add(file);
                    }
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFileFailed(Path file, IOException failed) {
                    problems.put(
                            file.toString(),
                            "cannot be read: " + failed.getClass().getSimpleName());
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException failed) {
            problems.put(folder.toString(), "cannot be read: " + failed.getMessage());
        }
        found.stream().sorted().map(file -> new SourceFile(file, false)).forEach(files::add);
    }
}
