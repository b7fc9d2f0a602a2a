package dev.agentpipe.db.backup;

/** What the file of a backup is. */
public enum BackupForm {
    /** The custom format of {@code pg_dump}, which every tool for PostgreSQL reads. */
    PG_DUMP,

    /**
     * A zip of what COPY writes, a file a table: needs no program but this one, whatever PostgreSQL's version. It holds no
     * definitions: the migrations make those again.
     */
    COPY;

    /** How it is written for people, and in manifests. */
    public String label() {
        return this == PG_DUMP ? "pg_dump" : "copy";
    }

    static BackupForm of(String label) {
        for (BackupForm form : values()) {
            if (form.label().equals(label)) {
                return form;
            }
        }
        throw new BackupException("The manifest names a form that this version does not know: " + label);
    }
}
