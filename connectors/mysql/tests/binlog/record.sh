#!/usr/bin/env bash
# Makes the recorded binlogs of this folder from servers of one's own: a MySQL (9.x) and a MariaDB (10.11 or later) that
# nobody else writes to.
#   record.sh mysql   DATADIR CLIENT...     CLIENT is a command that reads SQL, such as: mysql -u root -S m.sock
#   record.sh mariadb DATADIR CLIENT...
# Each part of mysql.sql or mariadb.sql that begins with "-- file NAME" is run in a binlog of its own, which is copied to
# NAME.binlog.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
product=$1 data=$2
shift 2
status='SHOW BINARY LOG STATUS'
[ "$product" = mariadb ] && status='SHOW MASTER STATUS'
for name in $(sed -n 's/^-- file //p' "$here/$product.sql"); do
  echo 'FLUSH BINARY LOGS' | "$@"
  log=$(echo "$status" | "$@" -N -B | cut -f1)
  sed -n "/^-- file $name\$/,/^-- file /p" "$here/$product.sql" | grep -v '^-- file' | "$@" --default-character-set=utf8mb4
  echo 'FLUSH BINARY LOGS' | "$@"
  cp "$data/$log" "$here/$name.binlog"
done
chmod 644 "$here"/*.binlog
