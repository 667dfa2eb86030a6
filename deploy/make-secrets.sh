#!/bin/sh
# Makes the secrets that nobody has to choose, each as a file of its own, and leaves alone what is
# there. Usage: deploy/make-secrets.sh [directory]
set -eu

directory="${1:-$(dirname "$0")/secrets}"
mkdir -p "$directory"
# The files are readable for the users within the containers; the directory keeps others out.
chmod 700 "$directory"
umask 333

random() {
  head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n'
}

# keep NAME VALUE
keep() {
  [ -e "$directory/$1" ] || printf '%s\n' "$2" >"$directory/$1"
}

for name in postgres-password temporal-database-password holdfast-database-password \
  notification-secret codec-token api-key-shop api-key-operators; do
  keep "$name" "$(random)"
done
password="$(cat "$directory/holdfast-database-password")"
keep holdfast-database-url "postgres://holdfast:$password@postgres:5432/holdfast"

for name in encryption-key payconiq-api-key; do
  [ -e "$directory/$name" ] || echo "still to be made by you: $directory/$name"
done
