#!/bin/sh
# The image reads the password from the environment alone: so it is put there here, and stands in
# no compose file and in nothing that `docker inspect` shows.
set -eu

POSTGRES_PWD="$(cat /run/secrets/temporal-database-password)"
export POSTGRES_PWD

exec /etc/temporal/entrypoint.sh
