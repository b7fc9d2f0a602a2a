package dev.agentpipe.db.search.text;

/**
 * A term at its place in a text.
 *
 * @param position from 1, counted in words
 * @param positions how many words it stands for: more than one for the whole of an identifier
 * @param start first UTF-16 unit of it in the text
 * @param end the unit after its last
 */
record Token(Kind kind, String term, int position, int positions, int start, int end) {

    enum Kind {
        /** A word, or a part of an identifier. Those of a text have all positions, one after the other. */
        WORD,
        /** What a word is an inflection of, where it is one. */
        STEM,
        /** All parts of an identifier together, as written. */
        WHOLE,
        /** What a text is found by, too, but not looked for in a query. */
        EXTRA,
        /** A character of a script without spaces; they have positions like words. */
        CHARACTER,
        /** Such a character and the next. */
        PAIR
    }
}
