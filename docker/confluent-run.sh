#!/bin/sh
# Installed as /etc/confluent/docker/run, for compose files written for Confluent's image whose command calls that path.
exec /usr/local/bin/entrypoint.sh /etc/confluent/docker/run
