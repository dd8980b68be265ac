#!/bin/bash
# Succeeds when GET /health answers 200. 401 and 403 count as well: the API asks for a password, so it is up.
# Asks the first http listener; without one the first https listener, whose certificate need not name this host.
# The short names count by the rules of Debezium's image, CONNECT_REST_PORT by those of Confluent's; see entrypoint.sh.
listener="http://${REST_HOST_NAME:-}:${REST_PORT:-8083}"
if [ -z "${BOOTSTRAP_SERVERS:-}${CONFIG_STORAGE_TOPIC:-}${OFFSET_STORAGE_TOPIC:-}" ] && [ -n "${CONNECT_BOOTSTRAP_SERVERS:-}" ]; then
  listener="http://:${CONNECT_REST_PORT:-8083}"
fi
listeners=${CONNECT_LISTENERS:-$listener}
url=
IFS=', '
for listener in $listeners; do
  scheme=${listener%%://*}
  scheme=${scheme,,}
  host=${listener#*://}
  port=${host##*:}
  host=${host%:*}
  case "$host" in '' | 0.0.0.0 | '[::]' | ::) host=127.0.0.1 ;; esac
  # The first of all is kept until an http listener comes.
  [ -n "$url" ] && [ "$scheme" != http ] || url="$scheme://$host:$port/health"
  [ "$scheme" != http ] || break
done
status=$(curl --silent --insecure --noproxy '*' --max-time 4 --output /dev/null --write-out '%{http_code}' "$url")
case "$status" in 200 | 401 | 403) ;; *) exit 1 ;; esac
