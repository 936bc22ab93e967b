package dev.fanfare.netty.centrifuge;

import dev.fanfare.Publication;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Which publications of a channel a client wants, by their tags.
 *
 * <p><b>Threading:</b> immutable.
 */
final class TagsFilter implements Predicate<Publication> {

    /** Stands for a filter that makes no sense, or is larger than we take. */
    static final TagsFilter INVALID = new TagsFilter(tags -> false);

    private final Predicate<Map<String, String>> tags;

    TagsFilter(Predicate<Map<String, String>> tags) {
        this.tags = tags;
    }

    @Override
    public boolean test(Publication publication) {
        return tags.test(publication.headers());
    }
}
