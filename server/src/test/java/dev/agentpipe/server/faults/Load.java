package dev.agentpipe.server.faults;

import dev.agentpipe.server.TestServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Sends messages over some connections as fast as they are answered, and keeps what was acknowledged and what was not. Of
 * each ten requests seven bring one message, two an array, and one is sent to all servers at the same time.
 */
final class Load implements AutoCloseable {

    static final int CONVERSATIONS = 5;

    /** For the position of what was acknowledged without one: as part of an array. */
    private static final long UNKNOWN = -1;

    private static final int ARRAY = 7;
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    /** After a refusal: else an outage would be spent on nothing but refusals. */
    private static final long PAUSE_NANOS = 100_000_000;

    /** As the AgentPipe CLI does. */
    private static final List<Duration> CLI_RETRIES =
            List.of(Duration.ofSeconds(1), Duration.ofSeconds(2), Duration.ofSeconds(4));

    private final List<Supplier<URI>> servers;
    private final List<Duration> retries;
    private final String name;
    private final String key;
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final List<Thread> threads = new ArrayList<>();
    private final Map<String, Long> acknowledged = new ConcurrentHashMap<>();
    private final Map<String, String> unanswered = new ConcurrentHashMap<>();
    private final Queue<String> problems = new ConcurrentLinkedQueue<>();
    private final AtomicLong slowestNanos = new AtomicLong();
    private volatile boolean stopped;
    private volatile boolean repeatsAllowed;

    private Load(String name, List<Supplier<URI>> servers, List<Duration> retries, String key) {
        this.name = name;
        this.servers = servers;
        this.retries = retries;
        this.key = key;
    }

    /**
     * @param name begins the ids of its messages
     * @param servers where to send to; connections are shared out among them
     */
    static Load start(String name, List<Supplier<URI>> servers, String key, int connections) {
        return new Load(name, servers, List.of(), key).start(connections);
    }

    /** The same, but what is refused is sent again after 1, 2 and 4 seconds: {@link #refused} is what the CLI would lose. */
    static Load startRepeating(String name, Supplier<URI> server, String key, int connections) {
        return new Load(name, List.of(server), CLI_RETRIES, key).start(connections);
    }

    private Load start(int connections) {
        for (int i = 0; i < connections; i++) {
            int number = i;
            Thread thread = new Thread(() -> run(number), "load-" + i);
            thread.setDaemon(true);
            threads.add(thread);
            thread.start();
        }
        return this;
    }

    /** The server may have to repeat what it does not know to be stored: it answers then that it knew it already. */
    Load allowRepeats() {
        repeatsAllowed = true;
        return this;
    }

    static String conversation(int number) {
        return "conversation-" + number;
    }

    private void run(int number) {
        Random random = new Random(number);
        Supplier<URI> server = servers.get(number % servers.size());
        for (int n = 0; !stopped; n++) {
            String id = name + "-" + number + "-" + n;
            int kind = random.nextInt(10);
            BooleanSupplier request;
            if (kind < 7) {
                String body = body(id, random);
                request = () -> single(server, id, body);
            } else if (kind < 9) {
                Map<String, String> bodies = bodies(id, random);
                request = () -> array(server, bodies);
            } else {
                String body = body(id, random);
                request = () -> everywhere(id, body);
            }
            if (!answered(request)) {
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }

    private boolean answered(BooleanSupplier request) {
        boolean answered = request.getAsBoolean();
        for (Duration pause : retries) {
            if (answered) {
                break;
            }
            LockSupport.parkNanos(pause.toNanos());
            answered = request.getAsBoolean();
        }
        return answered;
    }

    private static String body(String id, Random random) {
        String conversation = conversation(random.nextInt(CONVERSATIONS));
        return TestServer.messageBody(conversation, id, "x".repeat(random.nextInt(300)));
    }

    private boolean single(Supplier<URI> server, String id, String body) {
        HttpResponse<String> answer = answer(send(server, body));
        if (isRefusal(answer)) {
            unanswered.put(id, body);
            return false;
        }
        boolean repeated = unanswered.remove(id) != null || repeatsAllowed; // then it may have been stored all the same
        acknowledge(id, answer, repeated ? answer.statusCode() : 201);
        return true;
    }

    private static Map<String, String> bodies(String id, Random random) {
        Map<String, String> bodies = new ConcurrentHashMap<>();
        for (int i = 0; i < ARRAY; i++) {
            bodies.put(id + "." + i, body(id + "." + i, random));
        }
        return bodies;
    }

    private boolean array(Supplier<URI> server, Map<String, String> bodies) {
        HttpResponse<String> answer = answer(send(server, "[" + String.join(",", bodies.values()) + "]"));
        if (isRefusal(answer)) {
            unanswered.putAll(bodies);
            return false;
        }
        boolean repeated = unanswered.keySet().removeAll(bodies.keySet()) || repeatsAllowed;
        String isNew = "{\"accepted\":" + ARRAY + ",\"duplicates\":0,\"rejected\":[]}";
        String isStored = "{\"accepted\":0,\"duplicates\":" + ARRAY + ",\"rejected\":[]}";
        boolean right = answer.body().equals(isNew) || repeated && answer.body().equals(isStored);
        if (answer.statusCode() != 200 || !right) {
            problems.add(answer.statusCode() + " " + answer.body());
        }
        bodies.keySet().forEach(one -> acknowledged.put(one, UNKNOWN));
        return true;
    }

    /** One of them stores it, whichever; all name the same position. */
    private boolean everywhere(String id, String body) {
        List<HttpResponse<String>> answers = servers.stream().map(server -> send(server, body)).toList().stream()
                .map(Load::answer)
                .filter(answer -> !isRefusal(answer))
                .toList();
        if (answers.isEmpty()) {
            unanswered.put(id, body);
            return false;
        }
        boolean repeated = unanswered.remove(id) != null;
        answers.forEach(answer -> acknowledge(id, answer, answer.statusCode()));
        long stored =
                answers.stream().filter(answer -> answer.statusCode() == 201).count();
        if (stored > 1 || stored < 1 && !repeated && answers.size() == servers.size()) {
            problems.add(id + " was new " + stored + " times");
        }
        return answers.size() == servers.size();
    }

    private void acknowledge(String id, HttpResponse<String> answer, int expected) {
        String eventId = answer.headers().firstValue("Event-Id").orElse(null);
        if (answer.statusCode() != expected || answer.statusCode() / 100 != 2 || eventId == null) {
            problems.add(answer.statusCode() + " " + answer.body());
            return;
        }
        long position = Long.parseLong(eventId.substring(eventId.lastIndexOf('-') + 1));
        Long before = acknowledged.put(id, position);
        if (before != null && before != UNKNOWN && before != position) {
            problems.add(id + " is at " + before + " and at " + position);
        }
    }

    private CompletableFuture<HttpResponse<String>> send(Supplier<URI> server, String body) {
        HttpRequest request = HttpRequest.newBuilder(server.get().resolve("/api/ingest"))
                .timeout(PATIENCE)
                .header("Authorization", "Bearer " + key)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body))
                .build();
        long start = System.nanoTime();
        return client.sendAsync(request, BodyHandlers.ofString())
                .whenComplete((answer, failure) -> slowestNanos.accumulateAndGet(System.nanoTime() - start, Math::max));
    }

    /** Null if the connection was cut or refused. */
    private static HttpResponse<String> answer(CompletableFuture<HttpResponse<String>> sent) {
        try {
            return sent.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof IOException) {
                return null;
            }
            throw e;
        }
    }

    private static boolean isRefusal(HttpResponse<String> answer) {
        return answer == null || answer.statusCode() == 503;
    }

    int count() {
        return acknowledged.size();
    }

    /** What was refused, also when it was sent again. */
    int refused() {
        return unanswered.size();
    }

    /** How long the slowest answer took, so far. */
    Duration slowest() {
        return Duration.ofNanos(slowestNanos.get());
    }

    /** Returns when so many more were acknowledged. */
    void awaitMore(int more) {
        int goal = count() + more;
        Await.until(() -> "load: " + count() + " of " + goal, Duration.ofSeconds(60), () -> count() >= goal);
    }

    /** Ends the load when what is under way was answered. */
    Load stop() {
        stopped = true;
        for (Thread thread : threads) {
            try {
                thread.join(PATIENCE.toMillis() + 5_000);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            if (thread.isAlive()) {
                throw new AssertionError(thread.getName() + " hangs");
            }
        }
        return this;
    }

    /** Sends what was not acknowledged once more; some of it may be stored. Returns how much was. */
    int resend(Supplier<URI> server) {
        int stored = 0;
        for (Map.Entry<String, String> one : unanswered.entrySet()) {
            HttpResponse<String> answer = answer(send(server, one.getValue()));
            if (isRefusal(answer)) {
                throw new AssertionError("refused: " + answer);
            }
            stored += answer.statusCode() == 200 ? 1 : 0;
            acknowledge(one.getKey(), answer, answer.statusCode());
        }
        unanswered.clear();
        return stored;
    }

    /** The position of each message that was acknowledged with one, by its id. */
    Map<String, Long> positions() {
        return acknowledged.entrySet().stream()
                .filter(one -> one.getValue() != UNKNOWN)
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    /** The ids of all that was acknowledged; throws if any answer was not as it must be. */
    Map<String, Long> acknowledged() {
        if (!problems.isEmpty()) {
            throw new AssertionError(problems.size() + " wrong answers, such as " + problems.peek());
        }
        return Map.copyOf(acknowledged);
    }

    @Override
    public void close() {
        stopped = true;
    }
}
