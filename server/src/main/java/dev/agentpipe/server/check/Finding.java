package dev.agentpipe.server.check;

/**
 * An item of the checklist, and how it stands.
 *
 * @param id stable, in snake_case
 * @param title what was looked at
 */
public record Finding(String id, String group, String title, Verdict verdict) {}
