#!/bin/sh
# /etc/confluent/docker/run of the image, for compose files whose command calls it, if need be from a shell.
exec /usr/local/bin/entrypoint.sh /etc/confluent/docker/run
