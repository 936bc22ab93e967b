package dev.fanfare.netty.centrifuge;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Gathers one node of a tags filter, whose fields come in any order: a comparison, or {@code and}, {@code or},
 * {@code not} of other nodes.
 *
 * <p><i>Bounds.</i> A tree has at most {@link #MOST_PARTS} nodes and values, {@link #MOST_DEPTH} levels, and texts of
 * {@link #MOST_CHARACTERS}; every publication is held against it.
 *
 * <p><b>Threading:</b> not thread-safe.
 */
final class FilterDraft {

    private static final int MOST_DEPTH = 16;
    private static final int MOST_PARTS = 256;
    private static final int MOST_CHARACTERS = 256;
    /** Without exponents, with which a few characters would make a number of any size. */
    private static final Pattern DECIMAL = Pattern.compile("[+-]?[0-9]{1,64}(\\.[0-9]{1,64})?");

    String op = "";
    String key = "";
    String comparison = "";
    String value = "";
    private final List<String> values = new ArrayList<>(0);
    private final List<FilterDraft> nodes = new ArrayList<>(0);
    private final Size size;
    private final int depth;

    /** Counts what a whole tree holds. */
    private static final class Size {
        private int parts = 1;
        private boolean isTooLarge;
    }

    /** Begins with the root. */
    FilterDraft() {
        this(new Size(), 1);
    }

    private FilterDraft(Size size, int depth) {
        this.size = size;
        this.depth = depth;
    }

    /** Adds a node below; null if there are too many, and the rest need not be read. */
    @Nullable
    FilterDraft addNode() {
        if (depth == MOST_DEPTH || !hasRoom()) {
            size.isTooLarge = true;
            return null;
        }
        FilterDraft node = new FilterDraft(size, depth + 1);
        nodes.add(node);
        return node;
    }

    void addValue(String added) {
        if (hasRoom()) {
            values.add(added);
        }
    }

    private boolean hasRoom() {
        size.isTooLarge |= ++size.parts > MOST_PARTS;
        return !size.isTooLarge;
    }

    /** Returns the filter; {@link TagsFilter#INVALID} if it is none. */
    TagsFilter filter() {
        if (size.isTooLarge) {
            return TagsFilter.INVALID;
        }
        try {
            return new TagsFilter(predicate());
        } catch (IllegalArgumentException noFilter) {
            return TagsFilter.INVALID;
        }
    }

    private Predicate<Map<String, String>> predicate() {
        List<Predicate<Map<String, String>>> parts =
                nodes.stream().map(FilterDraft::predicate).toList();
        return switch (op) {
            case "" -> leaf();
            case "and" -> {
                require(!parts.isEmpty());
                yield tags -> isUniform(parts, tags, true);
            }
            case "or" -> {
                require(!parts.isEmpty());
                yield tags -> !isUniform(parts, tags, false);
            }
            case "not" -> {
                require(parts.size() == 1);
                yield parts.get(0).negate();
            }
            default -> throw new IllegalArgumentException("no such operation");
        };
    }

    /** Tells whether all say the same. */
    private static boolean isUniform(
            List<Predicate<Map<String, String>>> parts, Map<String, String> tags, boolean answer) {
        for (Predicate<Map<String, String>> part : parts) {
            if (part.test(tags) != answer) {
                return false;
            }
        }
        return true;
    }

    // ---- comparisons

    private Predicate<Map<String, String>> leaf() {
        require(isShort(key) && isShort(value) && values.stream().allMatch(FilterDraft::isShort));
        return switch (comparison) {
            case "ex" -> existence(true);
            case "nex" -> existence(false);
            case "in" -> membership(true);
            case "nin" -> membership(false);
            default -> comparison();
        };
    }

    private Predicate<Map<String, String>> existence(boolean isWanted) {
        require(value.isEmpty() && values.isEmpty());
        String name = key;
        return tags -> tags.containsKey(name) == isWanted;
    }

    private Predicate<Map<String, String>> membership(boolean isWanted) {
        require(!key.isEmpty() && value.isEmpty() && !values.isEmpty());
        String name = key;
        Set<String> wanted = Set.copyOf(values);
        return tags -> {
            String tag = tags.get(name);
            return (tag != null && wanted.contains(tag)) == isWanted;
        };
    }

    private Predicate<Map<String, String>> comparison() {
        require(!key.isEmpty() && !value.isEmpty() && values.isEmpty());
        String other = value;
        return switch (comparison) {
            case "eq" -> ifThere(other::equals);
            case "neq" -> ifThere(other::equals).negate();
            case "sw" -> ifThere(tag -> tag.startsWith(other));
            case "ew" -> ifThere(tag -> tag.endsWith(other));
            case "ct" -> ifThere(tag -> tag.contains(other));
            case "lt" -> order(sign -> sign < 0);
            case "lte" -> order(sign -> sign <= 0);
            case "gt" -> order(sign -> sign > 0);
            case "gte" -> order(sign -> sign >= 0);
            default -> throw new IllegalArgumentException("no such comparison");
        };
    }

    private Predicate<Map<String, String>> ifThere(Predicate<String> condition) {
        String name = key;
        return tags -> {
            String tag = tags.get(name);
            return tag != null && condition.test(tag);
        };
    }

    /** Compares as numbers; what is none has no order. */
    private Predicate<Map<String, String>> order(IntPredicate condition) {
        BigDecimal limit = decimal(value);
        return ifThere(tag -> {
            BigDecimal number = limit == null ? null : decimal(tag);
            return number != null && condition.test(number.compareTo(limit));
        });
    }

    private static @Nullable BigDecimal decimal(String text) {
        return DECIMAL.matcher(text).matches() ? new BigDecimal(text) : null;
    }

    private static boolean isShort(String text) {
        return text.length() <= MOST_CHARACTERS;
    }

    private static void require(boolean condition) {
        if (!condition) {
            throw new IllegalArgumentException("not as the protocol has it");
        }
    }
}
