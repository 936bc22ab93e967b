package dev.fanfare.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.fanfare.netty.HttpAnswer;
import dev.fanfare.netty.HttpRoute;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletableFuture;

/** Serves pages from the class path. */
final class Pages {

    private Pages() {}

    /** Reads a page once and answers with it every time; what it may load, it says itself, in a meta element. */
    static HttpRoute load(Class<?> anchor, String name) {
        HttpAnswer answer = HttpAnswer.html(200, read(anchor, name))
                .withHeader("content-security-policy", "frame-ancestors 'none'")
                .withHeader("referrer-policy", "no-referrer")
                .withHeader("cache-control", "no-cache");
        return call -> CompletableFuture.completedFuture(answer);
    }

    private static String read(Class<?> anchor, String name) {
        try (InputStream in = anchor.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException(name + " is not on the class path beside " + anchor.getName());
            }
            return new String(in.readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("reading " + name, e);
        }
    }
}
