package dev.fanfare.netty.centrifuge;

import com.fasterxml.jackson.core.JsonParser;
import dev.fanfare.netty.http.JsonText;
import dev.fanfare.netty.http.Utf8;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads commands in JSON: objects separated by one line feed each.
 *
 * <p><b>Threading:</b> thread-safe.
 */
final class JsonCommands implements CommandDecoder {

    @Override
    public List<Command> decode(byte[] message) throws BadCommandException {
        if (!Utf8.isText(message)) {
            throw new BadCommandException("not UTF-8");
        }
        int end = message.length;
        if (end > 0 && message[end - 1] == '\n') {
            end--;
        }
        List<Command> commands = new ArrayList<>(1);
        int start = 0;
        while (start <= end) {
            int lineEnd = lineEnd(message, start, end);
            commands.add(line(message, start, lineEnd));
            start = lineEnd + 1;
        }
        return commands;
    }

    private static int lineEnd(byte[] message, int start, int end) {
        int at = start;
        while (at < end && message[at] != '\n') {
            at++;
        }
        return at;
    }

    private static Command line(byte[] message, int start, int end) throws BadCommandException {
        if (start == end || message[start] < 0) {
            throw new BadCommandException("no JSON object");
        }
        try (JsonParser parser = JsonText.parser(message, start, end - start)) {
            return new JsonCommandReader(parser, message, start).read(end - start);
        } catch (IOException e) {
            throw new BadCommandException("not JSON");
        }
    }
}
