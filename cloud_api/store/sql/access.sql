-- name: create
-- Keeps the hash of a new key.
insert into keys (name, hash, role, sites) values (%(name)s, %(hash)s, %(role)s, %(sites)s) returning key_id;

-- name: revoke
-- Ends a living key.
update keys set revoked_at = now() where key_id = %(key_id)s and revoked_at is null returning key_id;

-- name: find
-- The living key with this hash.
select key_id, name, role, sites, created_at, last_used_at, revoked_at
from keys where hash = %(hash)s and revoked_at is null;

-- name: used
-- Notes the use of a key, at most once a minute.
update keys set last_used_at = now()
where key_id = %(key_id)s and (last_used_at is null or last_used_at < now() - interval '1 minute');

-- name: listed
-- Every key, oldest first.
select key_id, name, role, sites, created_at, last_used_at, revoked_at from keys order by key_id;

-- name: sites
-- Names of the sites.
select site from sites;

-- name: record
-- One line of the audit.
insert into audit (key_id, site, action, detail) values (%(key_id)s, %(site)s, %(action)s, %(detail)s);
