#!/bin/sh
# Brings the schemas of Temporal's two databases to the version of these tools. Runs at every start:
# what is up to date stays as it is.
set -eu

SQL_PASSWORD="$(cat /run/secrets/temporal-database-password)"
export SQL_PASSWORD

# update DATABASE SCHEMA
update() {
  temporal-sql-tool --database "$1" setup-schema --version 0.0
  temporal-sql-tool --database "$1" update-schema --schema-name "$2"
}

update temporal postgresql/v12/temporal
update temporal_visibility postgresql/v12/visibility
