-- name: create
-- Keeps the hash of a new key.
insert into keys (name, hash, role, sites, lines)
values (%(name)s, %(hash)s, %(role)s, %(sites)s, %(lines)s) returning key_id;

-- name: revoke
-- Ends a living key.
update keys set revoked_at = now() where key_id = %(key_id)s and revoked_at is null returning key_id;

-- name: find
-- The living key with this hash.
select key_id, name, role, sites, lines, created_at, last_used_at, revoked_at
from keys where hash = %(hash)s and revoked_at is null;

-- name: used
-- Notes the use of a key, at most once a minute.
update keys set last_used_at = now()
where key_id = %(key_id)s and (last_used_at is null or last_used_at < now() - interval '1 minute');

-- name: listed
-- Every key, oldest first.
select key_id, name, role, sites, lines, created_at, last_used_at, revoked_at from keys order by key_id;

-- name: sites
-- Names of the sites.
select site from sites;

-- name: record
-- One line of the audit.
insert into audit (key_id, subject, site, action, detail)
values (%(key_id)s, %(subject)s, %(site)s, %(action)s, %(detail)s);

-- name: session_open
-- Keeps the hash of a new session.
insert into sessions (hash, key_id, expires_at) values (%(hash)s, %(key_id)s, %(expires_at)s);

-- name: session_find
-- The living key of a living session.
select k.key_id, k.name, k.role, k.sites, k.lines, k.created_at, k.last_used_at, k.revoked_at
from sessions s join keys k using (key_id)
where s.hash = %(hash)s and s.ended_at is null and s.expires_at > %(now)s and k.revoked_at is null;

-- name: session_used
-- Notes the use of a session, at most once a minute.
update sessions set last_used_at = now() where hash = %(hash)s and last_used_at < now() - interval '1 minute';

-- name: session_end
-- Ends a session.
update sessions set ended_at = now() where hash = %(hash)s and ended_at is null returning key_id;

-- name: sessions_sweep
-- Forgets sessions that ended or ran out a week ago.
delete from sessions where coalesce(ended_at, expires_at) < %(now)s - interval '7 days';
