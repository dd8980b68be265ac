#!/bin/bash
# Succeeds when GET /health answers 200. 401 and 403 count as well: the API asks for a password, so it is up.
# Asks the first http listener; without one the first https listener, whose certificate need not name this host.
port=${REST_PORT:-8083}
# CONNECT_REST_PORT counts by the rules of Confluent's image alone; see entrypoint.sh.
[ -n "${BOOTSTRAP_SERVERS:-}${CONFIG_STORAGE_TOPIC:-}${OFFSET_STORAGE_TOPIC:-}" ] || port=${REST_PORT:-${CONNECT_REST_PORT:-8083}}
listeners=${CONNECT_LISTENERS:-http://:$port}
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
