import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;

import com.fasterxml.jackson.databind.ObjectMapper;
import org.sourcelab.kafka.connect.apiclient.Configuration;
import org.sourcelab.kafka.connect.apiclient.KafkaConnectClient;
import org.sourcelab.kafka.connect.apiclient.request.dto.ConnectorPluginConfigDefinition;
import org.sourcelab.kafka.connect.apiclient.request.dto.ConnectorStatus;
import org.sourcelab.kafka.connect.apiclient.request.dto.NewConnectorDefinition;
import org.sourcelab.kafka.connect.apiclient.request.post.PostConnectorRestart;
import org.sourcelab.kafka.connect.apiclient.rest.exceptions.ConcurrentConfigModificationException;
import org.sourcelab.kafka.connect.apiclient.rest.exceptions.InvalidRequestException;
import org.sourcelab.kafka.connect.apiclient.rest.exceptions.ResourceNotFoundException;

/** One connector's life by the Java client that AKHQ uses. Arguments: URL, name, file with the configuration. */
public class Client {
    static void same(Object seen, Object wanted, String what) {
        if (!Objects.equals(seen, wanted)) {
            throw new AssertionError(what + ": " + seen + " is not " + wanted);
        }
    }

    static void until(String what, Callable<Object> ask, Object wanted) throws Exception {
        long end = System.nanoTime() + 30_000_000_000L;
        Object seen = null;
        while (System.nanoTime() < end) {
            try {
                seen = ask.call();
            } catch (ResourceNotFoundException notYet) {
                seen = "not found";
            }
            if (Objects.equals(seen, wanted)) {
                return;
            }
            Thread.sleep(100);
        }
        throw new AssertionError(what + ": " + seen + " and not " + wanted + " after 30 s");
    }

    static <E extends Exception> E refused(Class<E> kind, String what, Callable<Object> call) throws Exception {
        try {
            Object answer = call.call();
            throw new AssertionError(what + ": it was answered with " + answer);
        } catch (Exception error) {
            if (!kind.isInstance(error)) {
                throw new AssertionError(what + ": " + error, error);
            }
            return kind.cast(error);
        }
    }

    static String state(KafkaConnectClient client, String name) {
        ConnectorStatus status = client.getConnectorStatus(name);
        String tasks = status.getTasks().stream().map(task -> task.getState()).collect(Collectors.joining(","));
        return status.getConnector().get("state") + " " + tasks;
    }

    public static void main(String[] arguments) throws Exception {
        String url = arguments[0];
        String name = arguments[1];
        @SuppressWarnings("unchecked")
        Map<String, String> config = new ObjectMapper().readValue(Files.readString(Path.of(arguments[2])), TreeMap.class);
        Map<String, String> named = new TreeMap<>(config);
        named.put("name", name);
        KafkaConnectClient client = new KafkaConnectClient(new Configuration(url));

        same(client.getConnectServerVersion().getVersion(), "4.3.1", "version");
        same(List.copyOf(client.getConnectors()), List.of(), "connectors");
        same(client.getConnectorPlugins().stream().anyMatch(p -> p.getClassName().equals(config.get("connector.class"))), true,
            "plugins");
        refused(ResourceNotFoundException.class, "status of none", () -> client.getConnectorStatus(name));

        // AKHQ validates every plug-in with hardly anything: this must not be an error of the server.
        for (var plugin : client.getConnectorPlugins()) {
            String simple = plugin.getClassName().substring(plugin.getClassName().lastIndexOf('.') + 1);
            var result = client.validateConnectorPluginConfig(ConnectorPluginConfigDefinition.newBuilder().withName(simple)
                .withConfig("connector.class", plugin.getClassName()).withConfig("topics", "my-topic").build());
            same(result.getErrorCount() > 0, true, "errors of " + simple);
        }
        var valid = client.validateConnectorPluginConfig(
            ConnectorPluginConfigDefinition.newBuilder().withName("PostgresConnector").withConfig(named).build());
        same(valid.getErrorCount(), 0, "errors");

        NewConnectorDefinition definition = NewConnectorDefinition.newBuilder().withName(name).withConfig(config).build();
        same(new TreeMap<>(client.addConnector(definition).getConfig()), named, "the answer to a create");
        refused(ConcurrentConfigModificationException.class, "a name that is taken", () -> client.addConnector(definition));
        var bad = NewConnectorDefinition.newBuilder().withName("bad").withConfig("connector.class", config.get("connector.class")).build();
        var invalid = refused(InvalidRequestException.class, "an invalid configuration", () -> client.addConnector(bad));
        same(invalid.getErrorCode(), 400, "the error's code");
        same(invalid.getMessage().startsWith("Connector configuration is invalid and contains the following "), true, invalid.getMessage());

        until("running", () -> state(client, name), "RUNNING RUNNING");
        same(new TreeMap<>(client.getConnectorConfig(name)), named, "config");
        same(client.getConnector(name).getType(), "source", "type");
        same(client.getConnectorTasks(name).size(), 1, "tasks");
        same(client.getConnectorTaskStatus(name, 0).getState(), "RUNNING", "task's state");
        same(List.copyOf(client.getConnectorsWithExpandedStatus().getConnectorNames()), List.of(name), "expand=status");
        same(client.getConnectorsWithExpandedInfo().getDefinitionForConnector(name).getName(), name, "expand=info");
        same(client.getConnectorsWithAllExpandedMetadata().getStatusForConnector(name).getName(), name, "expand=info&expand=status");
        until("topics", () -> client.getConnectorTopics(name).getTopics().isEmpty(), false);
        same(client.resetConnectorTopics(name), true, "topics/reset");

        // The body of these calls is the JSON text null.
        same(client.pauseConnector(name), true, "pause");
        until("paused", () -> state(client, name), "PAUSED PAUSED");
        same(client.resumeConnector(name), true, "resume");
        until("resumed", () -> state(client, name), "RUNNING RUNNING");
        same(client.restartConnector(name), true, "restart");
        same(client.restartConnector(new PostConnectorRestart(name).withIncludeTasks(true).withOnlyFailed(false)), true, "restart with flags");
        until("restarted", () -> state(client, name), "RUNNING RUNNING");
        same(client.restartConnectorTask(name, 0), true, "restart of a task");
        until("task restarted", () -> state(client, name), "RUNNING RUNNING");
        Map<String, String> changed = new TreeMap<>(named);
        changed.put("tombstones.on.delete", "false");
        same(client.updateConnectorConfig(name, changed).getConfig().get("tombstones.on.delete"), "false", "update");
        same(client.stopConnector(name), true, "stop");
        until("stopped", () -> state(client, name), "STOPPED ");
        same(client.deleteConnector(name), true, "delete");
        refused(ResourceNotFoundException.class, "what is deleted", () -> client.getConnector(name));
        System.out.println("kafka-connect-client: as expected");
    }
}
