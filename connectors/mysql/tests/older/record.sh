#!/usr/bin/env bash
# Records the binlogs of this folder from one of the servers that scripts/older-servers.sh knows:
#   record.sh NAME [FOLDER]    NAME is such as mysql-5.7.22; FOLDER has the server if it is fetched already
# Each `-- file` part of changes.sql is run on a new server: NAME-full.binlog with GTIDs and the server's own checksums, where
# it has them; NAME-images.binlog without GTIDs (MySQL), with the other choice of checksums. Beside each, in NAME-….rows, stands
# what the server itself then selected: a line `row` before each row, and a line for each column, `name=value`, or only the name
# for NULL. Bytes are in hexadecimal.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
scripts=$(cd "$here/../../../../scripts" && pwd)
name=$1 folder=${2:-}
product=${name%%-*} version=${name#*-}
work=$(mktemp -d "${TMPDIR:-/tmp}/afterimage-record.XXXXXX")
chmod 711 "$work"
trap '"$scripts/servers.sh" stop "$work/full" "$work/images"; rm -rf "$work"' EXIT
if [ -z "$folder" ]; then folder=$work/server; "$scripts/older-servers.sh" fetch "$name" "$folder"; fi

# At least this version: at_least 5.6
at_least() { [ "$(printf '%s\n' "$1" "$version" | sort -V | head -n 1)" = "$1" ]; }
# The lines of a part that are for this server.
lines() {
  local line product_of since
  sed -n "/^-- file $1\$/,/^-- file /p" "$here/changes.sql" | grep -v '^-- file' | while IFS= read -r line; do
    if [[ $line =~ ^\[([a-z]+)\ (-?)([0-9.]+)\]\ (.*)$ ]]; then
      product_of=${BASH_REMATCH[1]} since=${BASH_REMATCH[3]} line=${BASH_REMATCH[4]}
      [ "$product_of" = "$product" ] || continue
      if [ -n "${BASH_REMATCH[2]}" ]; then [[ $version == "$since"* ]] || continue; else at_least "$since" || continue; fi
    fi
    case $line in
      '-- look '*)
        printf "SELECT '%s' AS look;\nSHOW MASTER STATUS;\nSELECT * FROM %s ORDER BY 1, 2;\n" "${line#-- look }" "${line#-- look }"
        ;;
      *) printf '%s\n' "$line" ;;
    esac
  done
}

# The client's XML, of which NULL can be told from an empty text, as lines.
plain() {
  sed -n -e 's/^ *<row>.*/row/p' -e 's/^\t<field name="\([^"]*\)" xsi:nil="true" \/>$/\1/p' -e '/^\t<field/{
    s/^\t<field name="\([^"]*\)">\(.*\)<\/field>$/\1=\2/
    s/&lt;/</g; s/&gt;/>/g; s/&quot;/"/g; s/&amp;/\&/g
    /^\t/!p
  }'
}

for part in full images; do
  extra=
  if [ $part = images ]; then
    # What the server does not do by itself. MySQL 5.5 knows no checksums, and MariaDB 10.1 writes none unless told to.
    case $name in mariadb-10.1.*) extra=--binlog-checksum=CRC32 ;; *) extra=--loose-binlog-checksum=NONE ;; esac
    [ "$product" = mariadb ] || extra="$extra --loose-gtid-mode=OFF"
  fi
  address=$(AFTERIMAGE_OLDER_EXTRA=$extra "$scripts/older-servers.sh" start "$folder" "$work/$part")
  client=(mariadb --no-defaults --default-character-set=utf8mb4 --batch --binary-as-hex -h 127.0.0.1 -P "${address##*:}" -u root)
  echo 'FLUSH LOGS;' | "${client[@]}"
  log=$(echo 'SHOW MASTER STATUS;' | "${client[@]}" --skip-column-names | cut -f 1)
  lines $part | "${client[@]}" --xml | plain >"$here/$name-$part.rows"
  echo 'FLUSH LOGS;' | "${client[@]}"
  cp "$work/$part/data/$log" "$here/$name-$part.binlog"
  "$scripts/servers.sh" stop "$work/$part"
done
chmod 644 "$here/$name"-*
ls -l "$here/$name"-*
