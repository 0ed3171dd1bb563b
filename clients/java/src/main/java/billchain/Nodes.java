package billchain;

import billchain.BillChainException.RpcRefused;
import billchain.BillChainException.Unreachable;
import billchain.BillChainException.WrongChain;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Several nodes as one: time-outs, failover, and no node of another chain. A request goes to the node
 * that answered last; one that cannot be reached, has no room or lacks what was asked for is left for
 * the next, round after round until the patience ends. Reads and submissions of the same bytes may be
 * asked twice, so no answer that got lost does harm.
 */
final class Nodes {
    /** A node without room, or without what another one may have. */
    private static final Set<Integer> ELSEWHERE = Set.of(-32603, -32009, -32011, 4005, 4006, 4008);
    private static final Set<Integer> POOL_ELSEWHERE = Set.of(2003, 2005, 2014, 2015, 2017, 2018, 2019, 2020);
    private static final int MAX_ANSWER = 64 << 20;

    final List<String> urls;
    final Duration timeout;
    private final String genesis;
    private final JsonNode rules;
    private final Map<String, String> headers;
    private final HttpClient http;
    private final ObjectMapper json = new ObjectMapper();
    private final AtomicLong ids = new AtomicLong();
    private final Set<String> known = ConcurrentHashMap.newKeySet();
    private volatile int first;

    Nodes(List<String> urls, String genesis, JsonNode rules, Duration timeout, Map<String, String> headers, HttpClient http) {
        if (urls.isEmpty()) {
            throw new BillChainException("at least one node is needed", "Form", "nodes", null, null);
        }
        this.urls = List.copyOf(urls);
        this.genesis = genesis;
        this.rules = rules;
        this.timeout = timeout;
        this.headers = Map.copyOf(headers);
        this.http = http;
    }

    /** An answer and the node that gave it. */
    record Answered(JsonNode result, String url) {}

    /** What a method answers. {@code sure} is the node that has to answer; null: any. */
    Answered ask(String method, List<?> params, Duration patience, String sure) {
        var deadline = System.nanoTime() + patience.toNanos();
        var causes = new LinkedHashMap<String, Exception>();
        for (var pause = 50L;; pause = Math.min(2 * pause, 1000)) {
            var start = first;
            var count = sure == null ? urls.size() : 1;
            for (var i = 0; i < count; i++) {
                var at = (start + i) % urls.size();
                var url = sure == null ? urls.get(at) : sure;
                var left = deadline - System.nanoTime();
                if (left <= 0 && !causes.isEmpty()) {
                    break;
                }
                try {
                    var limit = Duration.ofNanos(Math.max(Math.min(timeout.toNanos(), left), 50_000_000));
                    check(url, limit);
                    var result = post(url, method, params, limit);
                    first = sure == null ? at : first;
                    return new Answered(result, url);
                } catch (RpcRefused refused) {
                    if (!ELSEWHERE.contains(refused.number()) && !POOL_ELSEWHERE.contains(refused.pool())) {
                        throw refused;
                    }
                    causes.put(url, refused);
                } catch (IOException | IllegalArgumentException problem) {
                    known.remove(url);
                    causes.put(url, problem);
                }
            }
            if (System.nanoTime() + pause * 1_000_000 >= deadline) {
                throw gaveUp(method, count, causes);
            }
            sleep(pause);
        }
    }

    private static BillChainException gaveUp(String method, int count, Map<String, Exception> causes) {
        var refused = causes.values().stream().filter(RpcRefused.class::isInstance).map(RpcRefused.class::cast).toList();
        return refused.size() == count ? refused.get(count - 1) : new Unreachable(method, causes);
    }

    /** Waits; an interruption of the thread ends it with an exception. */
    static void sleep(long milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new BillChainException("interrupted", "Interrupted");
        }
    }

    /** Refuses a node of another chain or of other rules. */
    private void check(String url, Duration limit) throws IOException {
        if (known.contains(url)) {
            return;
        }
        var found = post(url, "chain_getBlockHash", List.of(0), limit).asText();
        if (!found.equals(genesis)) {
            throw new WrongChain(url + ": the chain begins with " + found + ", expected " + genesis);
        }
        var version = post(url, "state_getRuntimeVersion", List.of(), limit);
        if (!version.path("specName").equals(rules.get("name"))
                || version.path("specVersion").asInt() != rules.get("version").asInt()
                || version.path("transactionVersion").asInt() != rules.get("transaction_version").asInt()) {
            throw new WrongChain(url + ": rules " + version.path("specName").asText() + " "
                + version.path("specVersion").asInt() + ", this client signs for " + rules);
        }
        known.add(url);
    }

    private JsonNode post(String url, String method, List<?> params, Duration limit) throws IOException {
        var request = json.createObjectNode().put("jsonrpc", "2.0").put("id", ids.incrementAndGet()).put("method", method);
        request.set("params", json.valueToTree(params));
        var builder = HttpRequest.newBuilder(URI.create(url)).timeout(limit)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(json.writeValueAsBytes(request)));
        headers.forEach(builder::header);
        byte[] body;
        try {
            var response = http.send(builder.build(), HttpResponse.BodyHandlers.ofInputStream());
            try (var stream = response.body()) {
                body = stream.readNBytes(MAX_ANSWER + 1);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new BillChainException("interrupted", "Interrupted");
        }
        if (body.length > MAX_ANSWER) {
            throw new IOException("an answer of more than " + MAX_ANSWER + " bytes");
        }
        JsonNode answer;
        try {
            answer = json.readTree(body);
        } catch (JsonProcessingException malformed) {
            throw new IOException("an answer that is no JSON");
        }
        if (answer == null || answer.has("result") == answer.has("error")) {
            throw new IOException("an answer that is no JSON-RPC");
        }
        if (answer.has("error")) {
            throw new RpcRefused(method, answer.get("error"));
        }
        return answer.get("result");
    }
}
