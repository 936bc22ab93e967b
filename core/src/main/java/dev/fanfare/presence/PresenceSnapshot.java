package dev.fanfare.presence;

import java.util.List;

/**
 * Who is in a channel. A user in the grace period after its last connection is still listed, so that
 * joins and leaves always add up to it.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param members one entry per connection, at most as many as asked for; unmodifiable
 * @param connections how many connections there are
 * @param users how many different users; each anonymous connection counts as one
 */
public record PresenceSnapshot(List<Member> members, int connections, int users) {

    /** Copies the list. */
    public PresenceSnapshot {
        members = List.copyOf(members);
    }
}
