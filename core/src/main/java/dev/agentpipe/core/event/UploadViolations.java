package dev.agentpipe.core.event;

import dev.agentpipe.core.event.UploadCheck.Invalid;
import dev.agentpipe.core.event.UploadCheck.Place;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Collects what is wrong with an upload, up to a limit, and counts the rest. */
final class UploadViolations {

    private static final String OF_ALL_KINDS = "invalid_upload";

    private final int max;
    private final List<Place> listed = new ArrayList<>();
    private final Set<String> codes = new LinkedHashSet<>();
    private int more;

    UploadViolations(int max) {
        this.max = max;
    }

    void add(String code, Place place) {
        codes.add(code);
        if (listed.size() < max) {
            listed.add(place);
        } else {
            more++;
        }
    }

    /** What is wrong with a part of a session. */
    void addAll(Violations violations) {
        violations.list().forEach(one -> add(OF_ALL_KINDS, new Place(null, one.pointer(), one.detail())));
    }

    boolean has(String pointer) {
        return listed.stream().anyMatch(place -> place.pointer().equals(pointer));
    }

    boolean isEmpty() {
        return listed.isEmpty();
    }

    /** To be asked only if there are some. */
    Invalid invalid() {
        return new Invalid(codes.size() == 1 ? codes.iterator().next() : OF_ALL_KINDS, listed, more);
    }
}
