#!/bin/sh
# The container's entry point. It takes the variables of two images, so that only the image line of a compose file changes:
#   Debezium Connect: short names (BOOTSTRAP_SERVERS, GROUP_ID and so on). As in that image, they and their defaults win
#     over the CONNECT_A_B of the same property, so that a file with both means the same here.
#   Confluent's cp-kafka-connect: only CONNECT_A_B, without defaults.
# The properties of the short names are written to a worker file. CONNECT_A_B variables stay in the environment, where the
# daemon reads them itself and prefers them to the file. So passwords are not written to a file.
#   start (the default), /docker-entrypoint.sh start   run the daemon with the environment's properties
#   /etc/confluent/docker/run                          the same, by the rules of Confluent's image
#   an option or a subcommand of afterimage            run afterimage with it
#   anything else                                      run that command
set -eu

# The command in a compose file may begin with the path of the entry point.
case "${1:-}" in
  /docker-entrypoint.sh | docker-entrypoint.sh | /usr/local/bin/entrypoint.sh) shift ;;
esac
confluent=
case "${1:-start}" in
  start) ;;
  /etc/confluent/docker/run) confluent=1 ;;
  run | help | completions | keys | -*) exec afterimage "$@" ;;
  *) exec "$@" ;;
esac
if [ -z "${BOOTSTRAP_SERVERS:-}${CONFIG_STORAGE_TOPIC:-}${OFFSET_STORAGE_TOPIC:-}" ] && [ -n "${CONNECT_BOOTSTRAP_SERVERS:-}" ]; then
  confluent=1
fi

# Properties may hold passwords, so no other user of the container may read the file.
umask 077
dir=$(mktemp -d "${TMPDIR:-/tmp}/afterimage.XXXXXX")
file="$dir/connect-distributed.properties"

if [ -n "$confluent" ]; then
  # Confluent's image has no other default than this one. The daemon itself complains about missing settings.
  if [ -n "${CONNECT_LISTENERS:-}" ]; then : >"$file"; else echo "listeners=http://0.0.0.0:${CONNECT_REST_PORT:-8083}" >"$file"; fi
  exec afterimage run "$file"
fi

# The address under which others reach the container, found as Debezium's image does.
own_address=$(hostname -i 2>/dev/null | awk '{print $1}') || own_address=

# awk reads the environment directly, because a value may hold quotes, spaces and newlines.
OWN_ADDRESS=$own_address awk '
  function escaped(value) {
    gsub(/\\/, "\\\\\\\\", value); gsub(/\n/, "\\n", value); gsub(/\r/, "\\r", value); gsub(/\t/, "\\t", value)
    # Java would drop a leading space that is not escaped.
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
    put("offset.flush.interval.ms", "60000")
    put("offset.flush.timeout.ms", "5000")
    put("task.shutdown.graceful.timeout.ms", "10000")
    put("rest.advertised.port", "8083")
    # Most compose files have one broker, and the image of Debezium assumes one.
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
    from("OWN_ADDRESS", "rest.advertised.host.name")
    from("HOST_NAME", "rest.advertised.host.name")
    from("ADVERTISED_HOST_NAME", "rest.advertised.host.name")
    from("ADVERTISED_PORT", "rest.advertised.port")
    host = ENVIRON["REST_HOST_NAME"]; port = ENVIRON["REST_PORT"]
    put("listeners", "http://" (host == "" ? "0.0.0.0" : host) ":" (port == "" ? "8083" : port))
    from("SCHEMA_REGISTRY_URL", "key.converter.schema.registry.url")
    from("SCHEMA_REGISTRY_URL", "value.converter.schema.registry.url")
    if ("APICURIO_REGISTRY" in ENVIRON && ENVIRON["APICURIO_REGISTRY"] != "") {
      # In the image of Debezium this variable also chooses the converters.
      for (side = 1; side <= 2; side++) {
        converter = (side == 1 ? "key" : "value") ".converter"
        put(converter, "io.apicurio.registry.utils.converter.AvroConverter")
        put(converter ".apicurio.registry.url", ENVIRON["APICURIO_REGISTRY"])
        put(converter ".apicurio.registry.auto-register", "true")
        put(converter ".apicurio.registry.find-latest", "true")
      }
    }
    for (name in property) print name "=" escaped(property[name])
  }' >"$file"

# Names without a default in Debezium's image. The long name counts when the short one is not set.
for variable in BOOTSTRAP_SERVERS CONFIG_STORAGE_TOPIC OFFSET_STORAGE_TOPIC; do
  eval "short=\${$variable:-} long=\${CONNECT_$variable:-}"
  [ -n "$short$long" ] || {
    echo "entrypoint: $variable is not set: give it in the container's environment (or CONNECT_$variable)" >&2
    exit 1
  }
  [ -z "$short" ] || unset "CONNECT_$variable"
done
[ -z "${STATUS_STORAGE_TOPIC:-}" ] || unset CONNECT_STATUS_STORAGE_TOPIC
# Names with a default in Debezium's image. The long name never counts.
for variable in GROUP_ID KEY_CONVERTER VALUE_CONVERTER OFFSET_FLUSH_INTERVAL_MS OFFSET_FLUSH_TIMEOUT_MS \
  TASK_SHUTDOWN_GRACEFUL_TIMEOUT_MS REST_ADVERTISED_HOST_NAME REST_ADVERTISED_PORT REST_HOST_NAME REST_PORT; do
  unset "CONNECT_$variable"
done

exec afterimage run "$file"
