package dev.fanfare.examples.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Publication;
import dev.fanfare.Subscriber;
import dev.fanfare.presence.PresenceEvent;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;

/** Writes down joins and leaves. */
final class Observed implements Subscriber {

    final List<String> events = new CopyOnWriteArrayList<>();

    @Override
    public void onPublication(Publication publication) {}

    @Override
    public void onPresence(PresenceEvent event) {
        events.add(event.kind() + " " + event.member().user());
    }

    /** Returns who is here by what was told, in which nobody joins or leaves twice in a row. */
    Set<String> present() {
        Set<String> present = new HashSet<>();
        for (String event : events) {
            String user = event.substring(event.indexOf(' ') + 1);
            boolean isInTurn = event.startsWith("JOIN") ? present.add(user) : present.remove(user);
            assertThat(isInTurn).as("%s in %s", event, events).isTrue();
        }
        return present;
    }
}
