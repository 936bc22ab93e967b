package dev.fanfare.netty;

import static java.util.Objects.requireNonNull;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.IdentityCipherSuiteFilter;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;

/**
 * The certificate by which a transport proves who it is, and the key to it (TLS 1.2 and 1.3, by the JDK). When
 * they are renewed, {@link #reload} lets new connections see the new ones; those that are open live on.
 *
 * <p><b>Threading:</b> thread-safe.
 */
public final class Tls {

    private final Source source;
    private volatile SslContext current;

    private Tls(Source source) {
        this.source = source;
        this.current = load(source);
    }

    /**
     * Reads certificate and key from files.
     *
     * @param certificateChain X.509 certificates in PEM, the server's own first
     * @param privateKey a PKCS #8 key in PEM, without a password
     * @throws TransportException if they cannot be read or do not fit each other
     */
    public static Tls pem(Path certificateChain, Path privateKey) {
        requireNonNull(certificateChain, "certificateChain");
        requireNonNull(privateKey, "privateKey");
        return new Tls(() -> SslContextBuilder.forServer(certificateChain.toFile(), privateKey.toFile())
                .sslProvider(SslProvider.JDK)
                .protocols("TLSv1.3", "TLSv1.2")
                .build());
    }

    /**
     * Uses the JDK's own means, such as a key store; all of its cipher suites and protocols are the context's.
     *
     * @param contexts is asked at once, and at each {@link #reload}
     */
    public static Tls context(Supplier<SSLContext> contexts) {
        requireNonNull(contexts, "contexts");
        return new Tls(() -> new JdkSslContext(
                contexts.get(), false, null, IdentityCipherSuiteFilter.INSTANCE, null, ClientAuth.NONE, null, false));
    }

    /**
     * Loads certificate and key again, for connections that come from now on. It reads files, so not on an
     * event loop.
     *
     * @throws TransportException if they cannot be loaded; what was there before stays
     */
    public void reload() {
        current = load(source);
    }

    private static SslContext load(Source source) {
        try {
            return source.load();
        } catch (SSLException | IllegalArgumentException unusable) {
            throw new TransportException(
                    "The certificate or its key cannot be used: " + unusable.getMessage(), unusable);
        }
    }

    /** Returns what does it for one connection. */
    SslHandler handler(ByteBufAllocator allocator, Duration handshakeTimeout) {
        SslHandler handler = current.newHandler(allocator);
        handler.setHandshakeTimeoutMillis(handshakeTimeout.toMillis());
        return handler;
    }

    private interface Source {
        SslContext load() throws SSLException;
    }
}
