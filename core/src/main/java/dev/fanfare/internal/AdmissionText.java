package dev.fanfare.internal;

import dev.fanfare.Authenticator.Accepted;
import dev.fanfare.ChannelId;
import dev.fanfare.Expiry;
import dev.fanfare.Payload;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Writes what an authenticator accepts as one line of text, percent-encoded fields between blanks, and reads it. */
final class AdmissionText {

    private static final int FIXED = 4;

    private AdmissionText() {}

    static String of(Accepted accepted) {
        List<String> fields = new ArrayList<>();
        fields.add(accepted.user());
        fields.add(text(accepted.info()));
        fields.add(text(accepted.data()));
        Expiry expiry = accepted.expiry();
        fields.add(expiry == null ? "" : (expiry.isByClient() ? "c" : "h") + EpochMillis.of(expiry.at()));
        accepted.channels().forEach(channel -> fields.add(channel.value()));
        StringBuilder line = new StringBuilder();
        for (String field : fields) {
            line.append(line.isEmpty() ? "" : " ")
                    .append(URLEncoder.encode(field, StandardCharsets.UTF_8))
                    .append('.');
        }
        return line.toString();
    }

    static Accepted read(String line) {
        List<String> fields = new ArrayList<>();
        for (String field : line.split(" ", -1)) {
            fields.add(URLDecoder.decode(field.substring(0, field.length() - 1), StandardCharsets.UTF_8));
        }
        String expiry = fields.get(3);
        return Accepted.user(fields.get(0))
                .withInfo(payload(fields.get(1)))
                .withData(payload(fields.get(2)))
                .withExpiry(
                        expiry.isEmpty()
                                ? null
                                : new Expiry(
                                        Instant.ofEpochMilli(Long.parseLong(expiry.substring(1))),
                                        expiry.charAt(0) == 'c'))
                .withChannels(fields.subList(FIXED, fields.size()).stream()
                        .map(ChannelId::of)
                        .toList());
    }

    private static String text(@Nullable Payload payload) {
        return payload == null ? "" : "=" + Base64.getEncoder().encodeToString(payload.unsafeBytes());
    }

    private static @Nullable Payload payload(String text) {
        return text.isEmpty() ? null : Payload.wrap(Base64.getDecoder().decode(text.substring(1)));
    }
}
