package billchain;

import billchain.BillChainException.BadForm;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;

/**
 * Calls as the bytes that are signed: SCALE, by the chain's own description of its types. A value has
 * the form that {@code transaction_prepare} takes (docs/transactions.md).
 */
public final class Codec {
    private static final int MAX_DEPTH = 64;
    private final JsonNode table;

    Codec(JsonNode table) {
        this.table = table;
    }

    /** That of the rules for which this library was made. */
    public static Codec own() {
        try (var text = Codec.class.getResourceAsStream("/billchain/chain.json")) {
            return new Codec(new ObjectMapper().readTree(text));
        } catch (IOException notThere) {
            throw new UncheckedIOException(notThere);
        }
    }

    /** Name and versions of the rules that transactions are made for. */
    JsonNode rules() {
        return table.get("rules");
    }

    /** The bytes of a call. */
    public byte[] call(Call call) {
        return call(call.form(), "call", 0);
    }

    /** The bytes of a call in its form: pallet, call and args. */
    public byte[] call(Object value, String place, int depth) {
        if (!(value instanceof Map<?, ?> map) || !List.of("pallet", "call", "args").containsAll(map.keySet())) {
            throw new BadForm(place, "an object of pallet, call and args", value);
        }
        var pallet = named(table.get("pallets"), map.get("pallet"), place + ".pallet");
        var call = named(pallet.get("calls"), map.get("call"), place + ".call");
        var head = new byte[] {(byte) pallet.get("index").asInt(), (byte) call.get("index").asInt()};
        Object args = map.containsKey("args") ? map.get("args") : Map.of();
        return Bytes.concat(head, struct(call.get("fields"), args, place + ".args", depth + 1));
    }

    private static JsonNode named(JsonNode all, Object name, String place) {
        var names = new ArrayList<String>();
        for (var one : all) {
            if (one.get("name").asText().equals(name)) {
                return one;
            }
            names.add(one.get("name").asText());
        }
        throw new BadForm(place, "one of " + String.join(", ", names), name);
    }

    private byte[] value(JsonNode id, Object value, String place, int depth) {
        if (depth > MAX_DEPTH) {
            throw new BadForm(place, "at most " + MAX_DEPTH + " levels", value);
        }
        var kind = table.get("types").get(id.asText());
        return switch (kind.get("kind").asText()) {
            case "primitive" -> primitive(kind.get("name").asText(), value, place);
            case "text" -> {
                if (!(value instanceof String text)) {
                    throw new BadForm(place, "text", value);
                }
                yield counted(text.getBytes(StandardCharsets.UTF_8), kind.get("length"), place, value, "of text");
            }
            case "account" -> {
                var account = value instanceof String text && text.startsWith("0x") ? Bytes.unhex(text) : null;
                if (account == null || account.length != 32) {
                    throw new BadForm(place, "an account: 32 bytes as 0x hex", value);
                }
                yield account;
            }
            case "call" -> call(Form.of(value), place, depth);
            case "option" -> value == null ? new byte[1]
                : Bytes.concat(new byte[] {1}, value(kind.get("type"), value, place, depth + 1));
            case "compact" -> {
                var plain = value(kind.get("type"), value, place, depth + 1);
                yield plain.length == 0 ? plain : compact(Bytes.fromLittle(plain));
            }
            case "list" -> list(kind, value, place, depth + 1);
            case "tuple" -> tuple(ids(kind.get("types"), null), value, place, depth + 1);
            case "composite" -> fields(kind.get("fields"), value, place, depth + 1);
            case "variant" -> variant(kind.get("variants"), value, place, depth + 1);
            default -> throw new BadForm(place, "no bit sequence", value);
        };
    }

    private byte[] variant(JsonNode variants, Object value, String place, int depth) {
        Object name = value;
        Object content = null;
        if (value instanceof Map<?, ?> map && map.size() == 1) {
            var only = map.entrySet().iterator().next();
            name = only.getKey();
            content = only.getValue();
        }
        for (var variant : variants) {
            var own = variant.get("name").asText();
            if (!own.equals(name) && !snakeCase(own).equals(name)) {
                continue;
            }
            var index = new byte[] {(byte) variant.get("index").asInt()};
            if (!(value instanceof Map)) {
                if (!variant.get("fields").isEmpty()) {
                    throw new BadForm(place, "an object of " + name + " and its fields", value);
                }
                return index;
            }
            return Bytes.concat(index, fields(variant.get("fields"), content, place + "." + name, depth));
        }
        throw new BadForm(place, "one of " + names(variants), value);
    }

    private byte[] list(JsonNode kind, Object value, String place, int depth) {
        var of = table.get("types").get(kind.get("type").asText());
        if (of.path("name").asText().equals("u8")) {
            var bytes = value instanceof byte[] plain ? plain
                : value instanceof String text && text.startsWith("0x") ? Bytes.unhex(text) : null;
            if (bytes == null) {
                throw new BadForm(place, "bytes as 0x hex", value);
            }
            return counted(bytes, kind.get("length"), place, value, "as 0x hex");
        }
        if (!(value instanceof List<?> entries)) {
            throw new BadForm(place, "a list", value);
        }
        if (!kind.get("length").isNull() && kind.get("length").asInt() != entries.size()) {
            throw new BadForm(place, kind.get("length") + " entries", value);
        }
        var parts = new ArrayList<byte[]>();
        if (kind.get("length").isNull()) {
            parts.add(compact(BigInteger.valueOf(entries.size())));
        }
        for (var at = 0; at < entries.size(); at++) {
            parts.add(value(kind.get("type"), entries.get(at), place + "." + at, depth));
        }
        return Bytes.concat(parts.toArray(byte[][]::new));
    }

    private byte[] tuple(List<JsonNode> ids, Object value, String place, int depth) {
        if (ids.isEmpty() && value == null) {
            return new byte[0];
        }
        if (!(value instanceof List<?> entries) || entries.size() != ids.size()) {
            throw new BadForm(place, "a list of " + ids.size(), value);
        }
        var parts = new byte[ids.size()][];
        for (var at = 0; at < parts.length; at++) {
            parts[at] = value(ids.get(at), entries.get(at), place + "." + at, depth);
        }
        return Bytes.concat(parts);
    }

    /** Fields in the form that they have together. */
    private byte[] fields(JsonNode fields, Object value, String place, int depth) {
        if (fields.size() == 1 && fields.get(0).get("name").isNull()) {
            return value(fields.get(0).get("type"), value, place, depth);
        }
        if (!fields.isEmpty() && stream(fields).noneMatch(field -> field.get("name").isNull())) {
            return struct(fields, value, place, depth);
        }
        return tuple(ids(fields, "type"), value, place, depth);
    }

    private byte[] struct(JsonNode fields, Object value, String place, int depth) {
        var known = stream(fields).map(field -> field.get("name").asText()).toList();
        var expected = "an object of " + String.join(", ", known);
        if (!(value instanceof Map<?, ?> map)) {
            throw new BadForm(place, expected, value);
        }
        for (var key : map.keySet()) {
            if (!known.contains(key)) {
                throw new BadForm(place, expected, key);
            }
        }
        var parts = new byte[fields.size()][];
        for (var at = 0; at < parts.length; at++) {
            var name = known.get(at);
            parts[at] = value(fields.get(at).get("type"), map.get(name), place + "." + name, depth);
        }
        return Bytes.concat(parts);
    }

    private static java.util.stream.Stream<JsonNode> stream(JsonNode nodes) {
        return StreamSupport.stream(nodes.spliterator(), false);
    }

    private static List<JsonNode> ids(JsonNode nodes, String within) {
        return stream(nodes).map(one -> within == null ? one : one.get(within)).toList();
    }

    private static String names(JsonNode nodes) {
        return String.join(", ", stream(nodes).map(one -> one.get("name").asText()).toList());
    }

    private static byte[] counted(byte[] bytes, JsonNode length, String place, Object value, String what) {
        if (length.isNull()) {
            return Bytes.concat(compact(BigInteger.valueOf(bytes.length)), bytes);
        }
        if (bytes.length != length.asInt()) {
            throw new BadForm(place, length + " bytes " + what, value);
        }
        return bytes;
    }

    private static byte[] primitive(String name, Object value, String place) {
        if (name.equals("bool")) {
            if (!(value instanceof Boolean flag)) {
                throw new BadForm(place, "true or false", value);
            }
            return new byte[] {(byte) (flag ? 1 : 0)};
        }
        if (name.equals("str")) {
            if (!(value instanceof String text)) {
                throw new BadForm(place, "text", value);
            }
            var bytes = text.getBytes(StandardCharsets.UTF_8);
            return Bytes.concat(compact(BigInteger.valueOf(bytes.length)), bytes);
        }
        var bits = Integer.parseInt(name.substring(1));
        var signed = name.startsWith("i");
        var half = BigInteger.ONE.shiftLeft(signed ? bits - 1 : bits);
        var low = signed ? half.negate() : BigInteger.ZERO;
        var number = whole(value);
        if (number == null || number.compareTo(low) < 0 || number.compareTo(half) >= 0) {
            throw new BadForm(place, "a whole number from " + low + " to " + half.subtract(BigInteger.ONE), value);
        }
        return Bytes.little(number, bits / 8);
    }

    private static BigInteger whole(Object value) {
        if (value instanceof BigInteger number) {
            return number;
        }
        if (value instanceof Long || value instanceof Integer || value instanceof Short || value instanceof Byte) {
            return BigInteger.valueOf(((Number) value).longValue());
        }
        return value instanceof String text && text.matches("-?[0-9]{1,40}") ? new BigInteger(text) : null;
    }

    /** A variant's name as the answers of methods have it. */
    static String snakeCase(String name) {
        return name.replaceAll("(?<!^)([A-Z])", "_$1").toLowerCase(java.util.Locale.ROOT);
    }

    /** A compact number. */
    static byte[] compact(BigInteger number) {
        if (number.bitLength() <= 6) {
            return Bytes.little(number.shiftLeft(2), 1);
        }
        if (number.bitLength() <= 14) {
            return Bytes.little(number.shiftLeft(2).or(BigInteger.ONE), 2);
        }
        if (number.bitLength() <= 30) {
            return Bytes.little(number.shiftLeft(2).or(BigInteger.TWO), 4);
        }
        var length = (number.bitLength() + 7) / 8;
        return Bytes.concat(new byte[] {(byte) (length - 4 << 2 | 3)}, Bytes.little(number, length));
    }
}
