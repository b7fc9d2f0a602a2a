package dev.agentpipe.server.logs;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Context;
import ch.qos.logback.core.encoder.Encoder;
import java.time.Instant;
import java.util.Map;
import net.logstash.logback.composite.AbstractFieldJsonProvider;
import net.logstash.logback.composite.loggingevent.ArgumentsJsonProvider;
import net.logstash.logback.composite.loggingevent.LogLevelJsonProvider;
import net.logstash.logback.composite.loggingevent.LoggerNameJsonProvider;
import net.logstash.logback.composite.loggingevent.LoggingEventJsonProviders;
import net.logstash.logback.composite.loggingevent.LoggingEventThreadNameJsonProvider;
import net.logstash.logback.composite.loggingevent.StackTraceJsonProvider;
import net.logstash.logback.decorate.json.JsonWriteFeatureDecorator;
import net.logstash.logback.encoder.LoggingEventCompositeJsonEncoder;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.json.JsonWriteFeature;

/** A line as an object of JSON; docs/logs.md has its members. */
public final class JsonLines {

    private JsonLines() {}

    /** Started. */
    public static Encoder<ILoggingEvent> encoder(Context context) {
        LogLevelJsonProvider level = new LogLevelJsonProvider();
        LoggerNameJsonProvider logger = new LoggerNameJsonProvider();
        logger.setFieldName("logger");
        LoggingEventThreadNameJsonProvider thread = new LoggingEventThreadNameJsonProvider();
        thread.setFieldName("thread");
        StackTraceJsonProvider stackTrace = new StackTraceJsonProvider();
        stackTrace.setFieldName("stackTrace");

        LoggingEventJsonProviders providers = new LoggingEventJsonProviders();
        providers.addProvider(new Time());
        providers.addProvider(level);
        providers.addProvider(logger);
        providers.addProvider(thread);
        providers.addProvider(new Said());
        providers.addProvider(new ArgumentsJsonProvider());
        providers.addProvider(stackTrace);

        // What is logged may hold half a character, which is no UTF-8: then it is escaped, as whole ones of its kind
        // are.
        JsonWriteFeatureDecorator halves = new JsonWriteFeatureDecorator();
        halves.addDisable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8.name());
        LoggingEventCompositeJsonEncoder encoder = new LoggingEventCompositeJsonEncoder();
        encoder.setContext(context);
        encoder.setProviders(providers);
        encoder.setFindAndRegisterJacksonModules(false);
        encoder.addDecorator(halves);
        encoder.start();
        return encoder;
    }

    /** Always with three places, so that lines sort as text. The library's has up to nine, or none. */
    private static final class Time extends AbstractFieldJsonProvider<ILoggingEvent> {

        private record Second(long number, String text) {}

        /** Anybody's last one: it never changes, so threads need not agree on it. */
        private Second last = new Second(Long.MIN_VALUE, "");

        @Override
        public void writeTo(JsonGenerator json, ILoggingEvent event) {
            long millis = event.getTimeStamp();
            long number = Math.floorDiv(millis, 1_000L);
            Second second = last;
            if (second.number != number) {
                String whole = Instant.ofEpochSecond(number).toString();
                second = new Second(number, whole.substring(0, whole.length() - 1));
                last = second;
            }
            int rest = (int) Math.floorMod(millis, 1_000L);
            String zeros = rest >= 100 ? "." : rest >= 10 ? ".0" : ".00";
            json.writeStringProperty("@timestamp", second.text + zeros + rest + 'Z');
        }
    }

    /** The message, and what belongs to it: members of its own, or what is known of the request by the thread. */
    private static final class Said extends AbstractFieldJsonProvider<ILoggingEvent> {
        @Override
        public void writeTo(JsonGenerator json, ILoggingEvent event) {
            LogFields fields = AsyncLog.fields(event);
            if (fields != null) {
                json.writeStringProperty("message", fields.message());
                fields.writeTo(json);
                return;
            }
            json.writeStringProperty("message", event.getFormattedMessage());
            for (Map.Entry<String, String> one : event.getMDCPropertyMap().entrySet()) {
                json.writeStringProperty(one.getKey(), one.getValue());
            }
        }
    }
}
