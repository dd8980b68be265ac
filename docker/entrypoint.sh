#!/bin/sh
# The container's entry point: the short names that a Debezium Connect image knows (BOOTSTRAP_SERVERS and so on) become a
# worker file, and the daemon runs with it. CONNECT_A_B variables stay in the environment: the daemon reads them itself,
# over the file, so that passwords are not written down. Only the image line of a compose file changes.
#   start (the default, as in that image)      run the daemon with the environment's properties
#   an option or a subcommand of afterimage    run afterimage with it
#   anything else                              run that command, as that image does
set -eu

case "${1:-start}" in
  start) ;;
  run | help | completions | -*) exec afterimage "$@" ;;
  *) exec "$@" ;;
esac

# Other users of the container have no business with passwords in properties.
umask 077
dir=$(mktemp -d "${TMPDIR:-/tmp}/afterimage.XXXXXX")
file="$dir/connect-distributed.properties"

# awk reads the environment as it is: a value may hold quotes, spaces and newlines.
awk '
  function escaped(value) {
    gsub(/\\/, "\\\\\\\\", value); gsub(/\n/, "\\n", value); gsub(/\r/, "\\r", value); gsub(/\t/, "\\t", value)
    # A leading space would be lost.
    if (value ~ /^ /) value = "\\" value
    return value
  }
  function put(name, value) { property[name] = value }
  function from(variable, name) { if (variable in ENVIRON && ENVIRON[variable] != "") put(name, ENVIRON[variable]) }
  BEGIN {
    put("group.id", "1")
    put("status.storage.topic", "connect-status")
    put("key.converter", "org.apache.kafka.connect.json.JsonConverter")
    put("value.converter", "org.apache.kafka.connect.json.JsonConverter")
    # One broker is what most compose files have, and what that image assumes.
    put("config.storage.replication.factor", "1")
    put("offset.storage.replication.factor", "1")
    put("status.storage.replication.factor", "1")
    from("BOOTSTRAP_SERVERS", "bootstrap.servers")
    from("GROUP_ID", "group.id")
    from("CONFIG_STORAGE_TOPIC", "config.storage.topic")
    from("OFFSET_STORAGE_TOPIC", "offset.storage.topic")
    from("STATUS_STORAGE_TOPIC", "status.storage.topic")
    from("KEY_CONVERTER", "key.converter")
    from("VALUE_CONVERTER", "value.converter")
    from("OFFSET_FLUSH_INTERVAL_MS", "offset.flush.interval.ms")
    from("OFFSET_FLUSH_TIMEOUT_MS", "offset.flush.timeout.ms")
    from("SHUTDOWN_TIMEOUT", "task.shutdown.graceful.timeout.ms")
    from("ADVERTISED_HOST_NAME", "rest.advertised.host.name")
    from("ADVERTISED_PORT", "rest.advertised.port")
    host = ENVIRON["REST_HOST_NAME"]; port = ENVIRON["REST_PORT"]
    put("listeners", "http://" (host == "" ? "0.0.0.0" : host) ":" (port == "" ? "8083" : port))
    from("SCHEMA_REGISTRY_URL", "key.converter.schema.registry.url")
    from("SCHEMA_REGISTRY_URL", "value.converter.schema.registry.url")
    from("APICURIO_REGISTRY", "key.converter.apicurio.registry.url")
    from("APICURIO_REGISTRY", "value.converter.apicurio.registry.url")
    for (name in property) print name "=" escaped(property[name])
  }' >"$file"

# That image refuses to start without these, and so would the daemon, later.
for variable in BOOTSTRAP_SERVERS CONFIG_STORAGE_TOPIC OFFSET_STORAGE_TOPIC; do
  eval "given=\${$variable:-\${CONNECT_$variable:-}}"
  [ -n "$given" ] || {
    echo "entrypoint: $variable is not set: give it in the container's environment (or CONNECT_$variable)" >&2
    exit 1
  }
done

exec afterimage run "$file"
