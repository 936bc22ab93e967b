package dev.fanfare.netty.centrifuge;

import dev.fanfare.netty.http.JsonText;
import dev.fanfare.netty.http.Utf8;

/**
 * Looks whether bytes are one JSON value in well-formed UTF-8, in a single pass that makes no garbage:
 * every publication goes through here once on its way to JSON connections.
 *
 * <p>It accepts exactly what the parser of commands accepts, so that what one client may publish can be
 * sent to every other.
 *
 * <p><b>Threading:</b> not thread-safe; used once.
 */
final class JsonScanner {

    private final byte[] bytes;
    private int at;
    private boolean hasLineBreaks;

    JsonScanner(byte[] bytes) {
        this.bytes = bytes;
    }

    /** Tells whether it is JSON. */
    boolean isValue() {
        skipSpace();
        if (!value(0)) {
            return false;
        }
        skipSpace();
        return at == bytes.length;
    }

    /** Tells, after {@link #isValue}, whether there are line breaks; they can only be between tokens. */
    boolean hasLineBreaks() {
        return hasLineBreaks;
    }

    private boolean value(int depth) {
        int first = peek();
        return switch (first) {
            case '"' -> string();
            case '{' -> depth < JsonText.MAX_DEPTH && object(depth + 1);
            case '[' -> depth < JsonText.MAX_DEPTH && array(depth + 1);
            case 't' -> literal("true");
            case 'f' -> literal("false");
            case 'n' -> literal("null");
            default -> number(first);
        };
    }

    private boolean object(int depth) {
        at++;
        skipSpace();
        if (peek() == '}') {
            at++;
            return true;
        }
        while (peek() == '"' && string()) {
            skipSpace();
            if (!take(':')) {
                return false;
            }
            skipSpace();
            if (!value(depth)) {
                return false;
            }
            skipSpace();
            if (take('}')) {
                return true;
            }
            if (!take(',')) {
                return false;
            }
            skipSpace();
        }
        return false;
    }

    private boolean array(int depth) {
        at++;
        skipSpace();
        if (take(']')) {
            return true;
        }
        while (value(depth)) {
            skipSpace();
            if (take(']')) {
                return true;
            }
            if (!take(',')) {
                return false;
            }
            skipSpace();
        }
        return false;
    }

    private boolean string() {
        at++;
        while (at < bytes.length) {
            byte octet = bytes[at];
            if (octet == '"') {
                at++;
                return true;
            } else if (octet == '\\') {
                if (!escape()) {
                    return false;
                }
            } else if (octet >= ' ') {
                at++;
            } else {
                int length = octet < 0 ? Utf8.sequence(bytes, at) : 0;
                if (length == 0) {
                    return false;
                }
                at += length;
            }
        }
        return false;
    }

    private boolean escape() {
        at++;
        int kind = peek();
        at++;
        return switch (kind) {
            case '"', '\\', '/', 'b', 'f', 'n', 'r', 't' -> true;
            case 'u' -> hexDigits();
            default -> false;
        };
    }

    private boolean hexDigits() {
        for (int i = 0; i < 4; i++) {
            int digit = peek();
            if (!isDigit(digit) && !(digit >= 'a' && digit <= 'f') && !(digit >= 'A' && digit <= 'F')) {
                return false;
            }
            at++;
        }
        return true;
    }

    private boolean literal(String word) {
        for (int i = 0; i < word.length(); i++) {
            if (!take(word.charAt(i))) {
                return false;
            }
        }
        return true;
    }

    private boolean number(int first) {
        if (first == '-') {
            at++;
        }
        if (!take('0') && !digits()) {
            return false;
        }
        if (take('.') && !digits()) {
            return false;
        }
        if (take('e') || take('E')) {
            if (peek() == '+' || peek() == '-') {
                at++;
            }
            return digits();
        }
        return true;
    }

    /** Skips digits, at least one. */
    private boolean digits() {
        int start = at;
        while (isDigit(peek())) {
            at++;
        }
        return at > start;
    }

    private void skipSpace() {
        while (at < bytes.length) {
            byte octet = bytes[at];
            if (octet == '\n' || octet == '\r') {
                hasLineBreaks = true;
            } else if (octet != ' ' && octet != '\t') {
                return;
            }
            at++;
        }
    }

    private boolean take(char expected) {
        if (peek() == expected) {
            at++;
            return true;
        }
        return false;
    }

    /** Returns the byte that comes next; a negative number for the end, or for what is not ASCII. */
    private int peek() {
        return at < bytes.length ? bytes[at] : -1;
    }

    private static boolean isDigit(int octet) {
        return octet >= '0' && octet <= '9';
    }
}
