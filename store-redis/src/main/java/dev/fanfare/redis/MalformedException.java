package dev.fanfare.redis;

/** Says that bytes from Redis are not what this version of Fanfare, or a compatible one, wrote. */
final class MalformedException extends Exception {

    private static final long serialVersionUID = 1;

    MalformedException(String message) {
        super(message);
    }
}
