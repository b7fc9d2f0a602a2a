-- The index of the search, which follows the log like any other reader: appends know nothing of it. It needs no extension.

-- Exactly one row: how far the index has come.
create table search_index (
    only_one boolean primary key default true check (only_one),
    -- What the events up to this position say is in the index.
    position bigint not null default 0,
    -- Of the conversation that the next event is about, what is stored up to this position is in the index already: a
    -- whole session may come with one event, and is indexed in several steps.
    within bigint not null default 0,
    -- Which analysis made the words. Those of another one do not fit to what is asked for, so all are made anew.
    analysis integer not null default 0,
    -- While all is made anew, conversation by conversation: the last one that is done, and how far the next one is. Null
    -- otherwise.
    rebuilt_id text collate "C",
    rebuilt_within bigint not null default 0
)
-- It changes with each step: room for its versions in the page.
with (fillfactor = 10);

insert into search_index default values;

-- A message has one document, a long one has several; what describes a conversation (name, prompt, summary) has some more.
create table search_documents (
    conversation_id text collate "C" not null,
    -- Of the message; of a description, that of the event it came with.
    position bigint not null,
    -- From 0 for a message, from -1 downwards for a description.
    part integer not null,
    -- Where in the message it begins, and how much of it it is: code points.
    chars_from integer not null,
    chars integer not null,
    -- Made by the server, not by a text search configuration: those of PostgreSQL know neither Chinese nor identifiers.
    words tsvector not null,
    primary key (conversation_id, position, part)
)
with (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

-- The newest first.
create index search_documents_position on search_documents (position);

-- New entries wait in a list that each search has to read, too: a short one. (Measured: 0.29 ms a document with 512 kB,
-- 0.21 with 4 MB, 0.52 without a list.)
create index search_documents_words on search_documents using gin (words) with (gin_pending_list_limit = 1024);

-- What is deleted is not found any more. A conversation's description goes with its row, under the lock of the appends; what
-- was said in it with its messages, in steps that hold up nobody. (A search leaves out what has no conversation.)
create function forget_deleted_conversations() returns trigger language plpgsql as
$$
begin
    delete from search_documents as d using gone where d.conversation_id = gone.id and d.part < 0;
    return null;
end
$$
-- However many documents there are, those of a conversation are found by its id.
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off;

create function forget_deleted_messages() returns trigger language plpgsql as
$$
begin
    delete from search_documents as d using gone
    where d.conversation_id = gone.conversation_id and d.position = gone.position and d.part >= 0;
    return null;
end
$$
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off;

create trigger forget_deleted_conversations after delete on conversations referencing old table as gone
    for each statement execute function forget_deleted_conversations();

create trigger forget_deleted_messages after delete on messages referencing old table as gone
    for each statement execute function forget_deleted_messages();
