#!/bin/bash
# Succeeds when GET /health answers 200. 401 and 403 count as well, and so does a client's certificate that is wanted: the API
# asks for a password or a certificate, so it is up.
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
# A listener that wants a client's certificate gets the worker's own, which its fellow workers show, too. The password is passed
# by standard input, so that no list of processes shows it. curl reads no JKS.
own=SSL
[ -z "$(compgen -v CONNECT_LISTENERS_HTTPS_)" ] || own=LISTENERS_HTTPS_SSL
value() { name="CONNECT_${own}_$1"; text=${!name:-}; text=${text//\\/\\\\}; echo "${text//\"/\\\"}"; }
settings=
store=$(value KEYSTORE_LOCATION)
if [ "${url%%:*}" = https ] && [ -f "$store" ] && [ -r "$store" ]; then
  case "$(head -c 11 "$store" | tr -d '\0')" in
    -----BEGIN*) settings=$(printf 'cert = "%s"\npass = "%s"' "$store" "$(value KEY_PASSWORD)") ;;
    0*) settings=$(printf 'cert-type = "P12"\ncert = "%s:%s"' "$store" "$(value KEYSTORE_PASSWORD)") ;;
  esac
fi
# Asks, in so many seconds at most, and ends with success if the worker is up. A worker that refuses the certificate, or the lack
# of one, is up, and so is one that speaks TLS 1.3 only.
ask() {
  said=$(curl --silent --show-error --insecure --noproxy '*' --max-time "$1" --output /dev/null --write-out '\n%{http_code}' \
    --config - "$url" 2>&1 <<<"$settings")
  status=${said##*$'\n'}
  case "$status" in
    200 | 401 | 403) exit 0 ;;
  esac
  case "$said" in
    *"alert certificate required"* | *"alert bad certificate"* | *"alert certificate unknown"* | *"alert unknown ca"* | \
      *"alert handshake failure"* | *"alert protocol version"*) exit 0 ;;
  esac
}
# Asks again if there was no answer and there is time left.
again() {
  left=$((4 - SECONDS))
  if [ "$status" = 000 ] && [ "$left" -ge 1 ]; then ask "$left"; fi
}
ask 4
[ "${url%%:*}" = https ] || exit 1
# curl may be unable to open the certificate: its password may be a placeholder that only the worker resolves.
if [ -n "$settings" ]; then
  settings=
  again
fi
# With TLS 1.3 a worker refuses the lack of a certificate after the handshake, and its word is lost if it closes the connection
# too soon. With TLS 1.2 it does so during the handshake.
settings='tls-max = 1.2'
again
exit 1
