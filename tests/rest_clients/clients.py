"""One connector's life by a client of the REST API that others wrote, as it comes from PyPI. What the client gives back is
asserted, because some of them hide errors: `kc` exits with 0 whatever is answered.

clients.py CLIENT URL NAME CONFIG: CLIENT is a function of this file, CONFIG a file with the connector's configuration.
"""
import json
import os
import pathlib
import socket
import subprocess
import sys
import time

BIN = pathlib.Path(sys.executable).parent
LIMIT_S = 30


def same(seen, wanted, what):
    assert seen == wanted, f"{what}: {seen!r} is not {wanted!r}"


def until(what, ask, wanted, limit_s=LIMIT_S):
    """Repeats the question until its answer is the wanted one."""
    end = time.monotonic() + limit_s
    while (seen := ask()) != wanted:
        assert time.monotonic() < end, f"{what}: {seen!r} and not {wanted!r} after {limit_s} s"
        time.sleep(0.1)


def run(program, *arguments, **environment):
    """Runs a client's own program and gives what it prints."""
    done = subprocess.run([BIN / program, *arguments], capture_output=True, text=True, timeout=60, env=os.environ | environment)
    assert done.returncode == 0 and not done.stderr, (program, arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout.strip()


def state(status):
    return status.get("connector", {}).get("state"), [task["state"] for task in status.get("tasks", [])]


def kc(url, name, config):
    """kafka-connect-py: its program."""
    from kafka_connect import KafkaConnect

    def ask(*arguments):
        return json.loads(run("kc", "--url", url, *arguments))

    def status():
        printed = run("kc", "--url", url, "status", name)
        return state(json.loads(printed)) if printed.startswith("{") else printed

    same(ask("info")["version"], "4.3.1", "info")
    same(ask("list"), [], "list")
    # The program itself sends a text in place of an object, which no worker can read; its library sends the object.
    refused = run("kc", "--url", url, "validate-config", config["connector.class"], "-d", json.dumps(config))
    assert refused.startswith("400 Client Error"), refused
    library = KafkaConnect(url)
    for changes, errors in [({}, 0), ({"tasks.max": "abc"}, 2)]:
        validated = library.validate_connector_config(config["connector.class"], config | {"name": name} | changes)
        same(validated["error_count"], errors, f"validate-config with {changes}")
    created = ask("create", "-d", json.dumps({"name": name, "config": config}))
    same(created["config"], config | {"name": name}, "create")
    again = run("kc", "--url", url, "create", "-d", json.dumps({"name": name, "config": config}))
    assert f"Connector {name} already exists" in again or "409" in again, again
    until("running", status, ("RUNNING", ["RUNNING"]))
    same(ask("list"), [name], "list")
    same(ask("list", "--expand", "status")[name]["status"]["connector"]["state"], "RUNNING", "list --expand status")
    same(ask("list", "--expand", "info", "--pattern", f"{name}.*")[name]["info"]["type"], "source", "list --expand info")
    same(ask("list", "--state", "running"), [name], "list --state running")
    same(ask("list", "--state", "failed"), [], "list --state failed")
    same(ask("get", name)["type"], "source", "get")
    same(ask("config", name), config | {"name": name}, "config")
    same([task["id"]["task"] for task in ask("list-tasks", name)], [0], "list-tasks")
    same(ask("task-status", name, "0")["state"], "RUNNING", "task-status")
    classes = [plugin["class"] for plugin in ask("list-plugins")]
    assert config["connector.class"] in classes, classes
    until("topics", lambda: bool(ask("list-topics", name)[name]["topics"]), True)
    run("kc", "--url", url, "reset-topics", name)
    run("kc", "--url", url, "pause", name)
    until("paused", status, ("PAUSED", ["PAUSED"]))
    run("kc", "--url", url, "resume", "--all")
    until("resumed", status, ("RUNNING", ["RUNNING"]))
    # The program sends ?includeTasks=True&onlyFailed=False, with capitals.
    restarted = ask("restart", name, "--include-tasks")
    same(restarted["name"], name, "restart")
    until("restarted", status, ("RUNNING", ["RUNNING"]))
    run("kc", "--url", url, "restart-task", name, "0")
    until("task restarted", status, ("RUNNING", ["RUNNING"]))
    updated = ask("update", name, "-d", json.dumps(config | {"tombstones.on.delete": "false"}))
    same(updated["config"]["tombstones.on.delete"], "false", "update")
    until("updated", status, ("RUNNING", ["RUNNING"]))
    run("kc", "--url", url, "delete", name)
    same(ask("list"), [], "list")
    absent = run("kc", "--url", url, "get", name)
    assert f"Connector {name} not found" in absent or "404" in absent, absent


def kafka_connect_api(url, name, config):
    """kafka-connect-api: its library."""
    from kafka_connect_api.errors import GenericNotFound
    from kafka_connect_api.kafka_connect_api import Api, Cluster, Connector

    cluster = Cluster(Api(url=url))
    same(cluster.version, "4.3.1", "version")
    assert cluster.kafka_cluster, "no id of the Kafka cluster"
    same(list(cluster.connectors), [], "connectors")
    connector = Connector(cluster, name)
    try:
        connector.exists()
        raise AssertionError("a connector that is not there is there")
    except GenericNotFound:
        pass
    connector.config = config
    assert connector.exists()
    same(connector.config, config | {"name": name}, "config")
    same(connector.connector_class, config["connector.class"], "class")

    def task_state():
        try:
            return [task.state for task in connector.tasks][0]
        except (GenericNotFound, IndexError):
            # Right after its creation a connector has no task, or one without a state.
            return None

    until("running", task_state, "RUNNING")
    same(connector.tasks[0].config["task.class"], config["connector.class"] + "Task", "task.class")
    assert connector.tasks[0].is_running()
    connector.pause()
    until("paused", lambda: connector.state, "PAUSED")
    connector.resume()
    until("resumed", lambda: (connector.state, task_state()), ("RUNNING", "RUNNING"))
    connector.cycle_connector()
    until("cycled", lambda: (connector.state, task_state()), ("RUNNING", "RUNNING"))
    connector.restart()
    until("restarted", lambda: connector.state, "RUNNING")
    same(cluster.root_logger["level"], "INFO", "root logger")
    cluster.root_logger = "WARN"
    same(cluster.root_logger["level"], "WARN", "root logger")
    cluster.root_logger = "INFO"
    connector.delete()
    same(list(cluster.connectors), [], "connectors")


def kafkaconnect(url, name, config):
    """kafkaconnect: its program, which validates before it creates."""
    def call(*arguments):
        return run("kafkaconnect", "--connect", url, *arguments)

    def ask(*arguments):
        return json.loads(call(*arguments))

    def status():
        printed = call("status", name)
        return state(json.loads(printed)) if printed.startswith("{") else printed

    same(ask("list"), [], "list")
    same(call("status", name), f"Resource {url}/connectors/{name}/status not found.", "status of none")
    file = pathlib.Path("upload.json")
    file.write_text(json.dumps(config))
    validated = ask("upload", str(file), "--name", name, "--dry-run")
    same((validated["error_count"], validated["name"]), (0, config["connector.class"]), "upload --dry-run")
    assert all(isinstance(one["value"]["errors"], list) for one in validated["configs"] if one["value"]), "errors is null"
    printed = call("upload", str(file), "--name", name)
    first, rest = printed.split("\n", 1)
    same(first, f"Uploading {name} connector configuration...", "upload")
    same(json.loads(rest)["config"], config | {"name": name}, "upload")
    until("running", status, ("RUNNING", ["RUNNING"]))
    same(ask("list"), [name], "list")
    same(ask("info", name)["tasks"], [{"connector": name, "task": 0}], "info")
    same(ask("config", name), config | {"name": name}, "config")
    same(ask("tasks", name)[0]["id"], {"connector": name, "task": 0}, "tasks")
    until("topics", lambda: bool(ask("topics", name)[name]["topics"]), True)
    assert config["connector.class"] in [plugin["class"] for plugin in ask("plugins")]
    # These calls have no body and no content type.
    same(call("pause", name), "", "pause")
    until("paused", status, ("PAUSED", ["PAUSED"]))
    same(call("resume", name), "", "resume")
    until("resumed", status, ("RUNNING", ["RUNNING"]))
    same(call("restart", name), "", "restart")
    until("restarted", status, ("RUNNING", ["RUNNING"]))
    # What cannot run is not created: the validation's answer is printed in its place.
    file.write_text(json.dumps(config | {"snapshot.mode": "sometimes"}))
    refused = call("upload", str(file), "--name", "other").split("\n", 1)[1]
    same(json.loads(refused)["error_count"], 1, "upload of what is wrong")
    same(ask("list"), [name], "list")
    same(call("delete", name), "", "delete")
    same(ask("list"), [], "list")


def healthcheck(url, name, config):
    """kafka-connect-healthcheck: its server, which a load balancer asks."""
    import requests

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ["--port", str(port), "--connect-url", url, "--connect-worker-id", url.split("//")[1]]
    server = subprocess.Popen([BIN / "kafka-connect-healthcheck", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        def ask():
            try:
                answer = requests.get(f"http://127.0.0.1:{port}/", timeout=30)
            except requests.ConnectionError:
                return None
            seen = answer.json()
            return answer.status_code, seen["healthy"], sorted((one["type"], one.get("id")) for one in seen.get("failures", []))

        until("an empty worker is healthy", ask, (200, True, []))
        assert requests.put(f"{url}/connectors/{name}/config", json=config, timeout=30).status_code == 201
        until("created", lambda: state(requests.get(f"{url}/connectors/{name}/status", timeout=30).json()), ("RUNNING", ["RUNNING"]))
        same(ask(), (200, True, []), "running")
        # A task that fails: a statement of a table's copy that is none.
        broken = config | {"snapshot.mode": "always", "snapshot.select.statement.overrides": "public.t",
                           "snapshot.select.statement.overrides.public.t": "SELECT 1 / 0"}
        assert requests.put(f"{url}/connectors/{name}/config", json=broken, timeout=30).status_code == 200
        until("a failed task makes it unhealthy", ask, (503, False, [("task", 0)]))
        assert requests.put(f"{url}/connectors/{name}/config", json=config, timeout=30).status_code == 200
        until("healthy again", ask, (200, True, []))
        assert requests.delete(f"{url}/connectors/{name}", timeout=30).status_code == 204
    finally:
        server.terminate()
        server.wait(timeout=10)


CLIENTS = {"kc": kc, "kafka-connect-api": kafka_connect_api, "kafkaconnect": kafkaconnect, "healthcheck": healthcheck}

if __name__ == "__main__":
    client, url, name, config = sys.argv[1:]
    CLIENTS[client](url, name, json.loads(pathlib.Path(config).read_text()))
    print(f"{client}: as expected")
