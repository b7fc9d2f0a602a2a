-- Keys that are made and revoked while servers run, and what is made from a key: sessions of browsers, and tickets for streams.
-- Of every secret only its SHA-256 is stored: keys and tokens are 24 random bytes or more, which no digest gives away.

create table api_keys (
    -- 8 characters of the digest: how a key is named wherever it must be.
    id text collate "C" primary key check (id ~ '^[0-9a-f]{8}$'),
    digest bytea not null unique check (octet_length(digest) = 32),
    prefix text not null,
    name text not null,
    -- Of ingest, upload, read, admin.
    scopes text[] not null check (scopes <> '{}' and scopes <@ array['ingest', 'upload', 'read', 'admin']),
    created_at timestamptz not null default now(),
    created_by text not null,
    -- Null: never.
    expires_at timestamptz,
    revoked_at timestamptz,
    revoked_by text,
    -- By the minute, and late by up to two.
    last_used_at timestamptz
);

-- Exactly one row. Servers look at it each second, and at the rest when the version has changed.
create table key_state (
    only_one boolean primary key default true check (only_one),
    version bigint not null default 1,
    -- From the first key with the scope read on, until somebody opens reading again. Not derived from the keys that are there:
    -- who revokes the only read key, since it leaked, must not open everything to everybody by it.
    reading_closed boolean not null default false,
    -- Seals tokens, so that those that no server has made are refused without a look into the database.
    token_seal bytea not null default uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
);

insert into key_state default values;

-- Triggers, so that also a statement by hand, in an emergency, is effective on every server. The last use is no change.
create function key_state_changed() returns trigger language plpgsql as
$$
begin
    update key_state set version = version + 1;
    return null;
end
$$;

create trigger key_state_changed
    after insert or delete or update of digest, name, scopes, expires_at, revoked_at on api_keys
    for each statement execute function key_state_changed();

create function close_reading() returns trigger language plpgsql as
$$
begin
    update key_state set reading_closed = true where not reading_closed;
    return null;
end
$$;

create trigger close_reading
    after insert on api_keys for each row when ('read' = any (new.scopes)) execute function close_reading();

create table key_tokens (
    digest bytea primary key check (octet_length(digest) = 32),
    kind text not null check (kind in ('session', 'ticket')),
    -- Of the key it was made from, one of api_keys or of a server's environment.
    key_id text collate "C" not null,
    expires_at timestamptz not null
);

create index key_tokens_of_key on key_tokens (key_id, kind);
create index key_tokens_expiry on key_tokens (expires_at);
