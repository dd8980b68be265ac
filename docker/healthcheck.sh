#!/bin/bash
# Succeeds when GET /health answers 200. Uses bash only, no HTTP client.
port=${REST_PORT:-8083}
listeners=${CONNECT_LISTENERS:-}
[ -z "$listeners" ] || port=${listeners##*:}
exec 3<>"/dev/tcp/127.0.0.1/$port" || exit 1
printf 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 4 _ status _ <&3
[ "$status" = 200 ]
