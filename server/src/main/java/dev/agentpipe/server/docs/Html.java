package dev.agentpipe.server.docs;

import org.commonmark.parser.Parser;
import org.commonmark.renderer.html.HtmlRenderer;

/** Writes HTML. Text and the values of attributes are escaped; tags and the names of attributes are literals of this package. */
final class Html {

    private static final Parser MARKDOWN = Parser.builder().build();

    /** Raw HTML in a text is shown, not passed on. */
    private static final HtmlRenderer RENDERER =
            HtmlRenderer.builder().escapeHtml(true).sanitizeUrls(true).build();

    private final StringBuilder out = new StringBuilder(128 << 10);

    Html raw(String html) {
        out.append(html);
        return this;
    }

    /** @param attributes names and values, in turns */
    Html open(String tag, String... attributes) {
        out.append('<').append(tag);
        for (int i = 0; i < attributes.length; i += 2) {
            out.append(' ').append(attributes[i]).append("=\"");
            text(attributes[i + 1]).raw("\"");
        }
        return raw(">");
    }

    Html close(String tag) {
        return raw("</" + tag + ">");
    }

    Html element(String tag, String text, String... attributes) {
        return open(tag, attributes).text(text).close(tag);
    }

    Html text(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                default -> out.append(c);
            }
        }
        return this;
    }

    /** A text in CommonMark. */
    Html markdown(String text) {
        return text.isEmpty() ? this : raw(RENDERER.render(MARKDOWN.parse(text)));
    }

    @Override
    public String toString() {
        return out.toString();
    }
}
