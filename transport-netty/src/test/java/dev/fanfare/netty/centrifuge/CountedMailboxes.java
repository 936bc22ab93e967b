package dev.fanfare.netty.centrifuge;

import dev.fanfare.Fanfare;
import dev.fanfare.spi.Gateway;
import dev.fanfare.spi.Mailboxes;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/** The mailboxes of a node, counted. */
final class CountedMailboxes implements Mailboxes {

    private final Mailboxes mailboxes;
    private final Set<String> open = ConcurrentHashMap.newKeySet();

    CountedMailboxes(Mailboxes mailboxes) {
        this.mailboxes = mailboxes;
    }

    /** Returns how many are open. */
    int open() {
        return open.size();
    }

    /** Returns that node as it is, but with these mailboxes. */
    Fanfare of(Fanfare fanfare) {
        Gateway gateway = replacing(Gateway.class, fanfare.gateway(), "mailboxes", this);
        return replacing(Fanfare.class, fanfare, "gateway", gateway);
    }

    private static <T> T replacing(Class<T> type, T whole, String part, Object by) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    if (method.getName().equals(part)) {
                        return by;
                    }
                    try {
                        return method.invoke(whole, arguments);
                    } catch (InvocationTargetException failure) {
                        throw failure.getCause();
                    }
                }));
    }

    @Override
    public Mailbox open(String address, Predicate<byte[]> receiver) {
        Mailbox mailbox = mailboxes.open(address, receiver);
        open.add(address);
        return () -> {
            open.remove(address);
            mailbox.close();
        };
    }

    @Override
    public CompletionStage<Delivery> post(String node, String address, byte[] bytes) {
        return mailboxes.post(node, address, bytes);
    }
}
