#!/bin/sh
# The container's entry point. Two images are known by their variables, and only the image line of a compose file changes:
#   Debezium Connect: short names (BOOTSTRAP_SERVERS, GROUP_ID and so on). They and their defaults win over the CONNECT_A_B
#     of the same property, as in that image: a file that has both must mean here what it meant there.
#   Confluent's cp-kafka-connect: CONNECT_A_B alone, without defaults.
# What comes of the short names is written to a worker file; CONNECT_A_B variables stay in the environment: the daemon reads
# them itself, over the file, so that passwords are not written down.
#   start (the default), /docker-entrypoint.sh start   run the daemon with the environment's properties
#   /etc/confluent/docker/run                          the same, by the rules of Confluent's image
#   an option or a subcommand of afterimage            run afterimage with it
#   anything else                                      run that command
set -eu

# Compose files name the entry point itself too.
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

# Other users of the container have no business with passwords in properties.
umask 077
dir=$(mktemp -d "${TMPDIR:-/tmp}/afterimage.XXXXXX")
file="$dir/connect-distributed.properties"

if [ -n "$confluent" ]; then
  # That image has no defaults but these; the daemon names what is missing.
  if [ -n "${CONNECT_LISTENERS:-}" ]; then : >"$file"; else echo "listeners=http://0.0.0.0:${CONNECT_REST_PORT:-8083}" >"$file"; fi
  exec afterimage run "$file"
fi

# The address by which others reach the container, as that image takes it.
own_address=$(hostname -i 2>/dev/null | awk '{print $1}') || own_address=

# awk reads the environment as it is: a value may hold quotes, spaces and newlines.
OWN_ADDRESS=$own_address awk '
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
    put("offset.flush.interval.ms", "60000")
    put("offset.flush.timeout.ms", "5000")
    put("task.shutdown.graceful.timeout.ms", "10000")
    put("rest.advertised.port", "8083")
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
    from("OWN_ADDRESS", "rest.advertised.host.name")
    from("HOST_NAME", "rest.advertised.host.name")
    from("ADVERTISED_HOST_NAME", "rest.advertised.host.name")
    from("ADVERTISED_PORT", "rest.advertised.port")
    host = ENVIRON["REST_HOST_NAME"]; port = ENVIRON["REST_PORT"]
    put("listeners", "http://" (host == "" ? "0.0.0.0" : host) ":" (port == "" ? "8083" : port))
    from("SCHEMA_REGISTRY_URL", "key.converter.schema.registry.url")
    from("SCHEMA_REGISTRY_URL", "value.converter.schema.registry.url")
    if ("APICURIO_REGISTRY" in ENVIRON && ENVIRON["APICURIO_REGISTRY"] != "") {
      # There the variable chooses the converters as well.
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

# Names without a default there: what the short one does not say, the long one may.
for variable in BOOTSTRAP_SERVERS CONFIG_STORAGE_TOPIC OFFSET_STORAGE_TOPIC; do
  eval "short=\${$variable:-} long=\${CONNECT_$variable:-}"
  [ -n "$short$long" ] || {
    echo "entrypoint: $variable is not set: give it in the container's environment (or CONNECT_$variable)" >&2
    exit 1
  }
  [ -z "$short" ] || unset "CONNECT_$variable"
done
[ -z "${STATUS_STORAGE_TOPIC:-}" ] || unset CONNECT_STATUS_STORAGE_TOPIC
# Names with one: the long form never counted.
for variable in GROUP_ID KEY_CONVERTER VALUE_CONVERTER OFFSET_FLUSH_INTERVAL_MS OFFSET_FLUSH_TIMEOUT_MS \
  TASK_SHUTDOWN_GRACEFUL_TIMEOUT_MS REST_ADVERTISED_HOST_NAME REST_ADVERTISED_PORT REST_HOST_NAME REST_PORT; do
  unset "CONNECT_$variable"
done

exec afterimage run "$file"
