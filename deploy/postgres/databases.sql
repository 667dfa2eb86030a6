-- Run once, by the PostgreSQL image, when its volume is empty: a user and databases of its own for
-- each of the two that share the server. Neither can see the other's, or make more.
\set temporal_password `cat /run/secrets/temporal-database-password`
\set holdfast_password `cat /run/secrets/holdfast-database-password`

create role temporal login password :'temporal_password';
create database temporal owner temporal;
create database temporal_visibility owner temporal;

create role holdfast login password :'holdfast_password';
create database holdfast owner holdfast;

revoke connect on database temporal, temporal_visibility, holdfast from public;
