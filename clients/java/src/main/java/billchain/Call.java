package billchain;

import java.util.Map;

/** A call: what a transaction does. {@link billchain.generated.Calls} makes them. */
public record Call(String pallet, String call, Map<String, Object> args) implements Form {
    @Override
    public Object form() {
        return Map.of("pallet", pallet, "call", call, "args", args);
    }

    /** The first bill, as code-number, that the call names; null if it names none. */
    public String bill() {
        return billOf(args);
    }

    private static String billOf(Object value) {
        if (value instanceof Map<?, ?> map) {
            if (map.get("code") instanceof String code && map.get("number") instanceof String number) {
                return code + "-" + number;
            }
            value = map.values();
        }
        if (value instanceof Iterable<?> many) {
            for (var one : many) {
                var found = billOf(one);
                if (found != null) {
                    return found;
                }
            }
        }
        return null;
    }
}
