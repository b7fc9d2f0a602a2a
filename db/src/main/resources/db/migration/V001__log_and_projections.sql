-- The log of events, what is derived from it, and the one way to append to it.
--
-- No foreign keys between these tables: every message would lock its conversation's row once more, and that a row belongs
-- to another one is guaranteed by the only statement that writes them (append_events, below).
-- JSON is kept as json or text, not jsonb: byte for byte as it came, and 15 to 20 % cheaper to write.
-- Identifiers are compared byte by byte (collate "C"): faster, and an upgrade of the C library cannot spoil an index.
-- No checks and no generated columns where every append comes by: PostgreSQL parses their expressions anew in each statement
-- (measured: 0.04 of the 0.27 ms of processor time that the append of one message takes).

------------------------------------------------------------------------------------------------------------- the log

-- Exactly one row. It is the lock that orders appends, and it is deliberately not changed by them: a row that changes
-- with every append leaves a dead version each time, which nobody may remove while any old transaction (a backup, say)
-- is open, and every append has to walk over all of them (measured: 0.37 ms, and 0.15 ms more for every 10,000 appends
-- since that transaction began). So the head is the position of the last event (see log_head). Whoever adds to the
-- tables below locks this row first.
create table event_log (
    only_one boolean primary key default true check (only_one),
    -- Names this log in the ids of the stream; made anew when a database is restored from a backup.
    epoch text not null check (epoch ~ '^[a-z0-9]{1,32}$'),
    -- Events at positions up to this one are no longer retained. It moves first, some thousands of events at a time, and
    -- their rows are deleted behind it, without this lock: whoever reads both in one statement knows what it lacks.
    floor bigint not null default 0 check (floor >= 0),
    -- No event is ever given a position at or below this one. Moves only when the last event of all is deleted.
    head_min bigint not null default 0 check (head_min >= 0)
);

-- Which events were stored, ever. Decides idempotence, so it stays when old events go.
create table event_identities (
    identity bytea primary key, -- 16 bytes
    position bigint not null
);

create table events (
    position bigint primary key, -- from 1
    type text collate "C" not null,
    -- Null for an event outside of any conversation.
    conversation_id text collate "C",
    event_at timestamptz not null,
    -- Decides when it is old.
    received_at timestamptz not null default now(),
    -- One line of JSON, as readers get it.
    payload text not null
)
-- What retention deletes in a day is a small part of the table, and what is to come needs its space: vacuum after a
-- twentieth instead of a fifth.
with (
    autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05,
    toast.autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_vacuum_insert_scale_factor = 0.05);

-- Streams of one conversation.
create index events_conversation on events (conversation_id, position);

-- Streams of some types. Nearly all events are messages, which are found without an index, and pay for none.
create index events_rare_type on events (type, position) where type <> 'message.created';

-------------------------------------------------------------------------------------------------------- projections

create table conversations (
    id text collate "C" primary key,
    -- Where it came from: cli-stream (live), cli-upload, web (moved in from agentpipe-web).
    source text not null default 'cli-stream',
    -- Those of an upload; a live conversation has none.
    name text,
    metadata json,
    -- These four are null until the conversation's start came.
    mode text,
    initial_prompt text,
    max_turns bigint,
    started_at timestamptz,
    -- Decides the status: microseconds since 1970 of the newest event that bears one, times 8, plus a rank that breaks
    -- ties: 0 started, 1 message, 2 error, 3 completed, 4 interrupted, 5 completed with the status error. The greatest
    -- one wins, in whatever order they come.
    status_order bigint not null,
    -- Follows from it (see status_of). A column of its own, because an index may depend on it: on status_order, which
    -- changes with every message, it would cost each of them the heap-only tuple (below).
    status text not null,
    -- Time of the newest completion, also when the conversation went on afterwards.
    completed_at timestamptz,
    -- Of all events that bear a status.
    first_event_at timestamptz not null,
    last_event_at timestamptz not null,
    last_received_at timestamptz not null default now(),

    -- Sums over the messages; a sum that would not fit stays at the greatest bigint.
    message_count bigint not null default 0,
    message_tokens bigint not null default 0,
    message_cost numeric not null default 0,
    message_duration_ms bigint not null default 0,

    -- What the newest completion that carries any total or a summary reported; the identity breaks ties.
    reported_at timestamptz,
    reported_identity bytea,
    reported_messages bigint,
    reported_turns bigint,
    reported_tokens bigint,
    reported_cost numeric,
    reported_duration_ms numeric,
    summary_short_text text,
    summary_text text,
    summary json,

    -- The newest error; the identity breaks ties.
    error_at timestamptz,
    error_identity bytea,
    error_message text,
    error_type text,
    error_count bigint not null default 0,

    -- The totals (see conversations_with_totals) of a conversation that is not ACTIVE, else null: what lists are sorted by
    -- has an index, and an index on the totals of a live one would cost each message the heap-only tuple (below).
    settled_messages bigint,
    settled_tokens bigint,
    settled_cost numeric,
    settled_duration_ms numeric,

    system_info json,
    -- The user's command line: private.
    command json,
    created_at timestamptz not null default now()
)
-- Every message changes its conversation's row. With room in its page and no index on a column that changes, the new
-- version stays in the page and touches no index (a heap-only tuple).
with (fillfactor = 70);

-- Which conversations may have gone idle. A condition on the status costs nothing while the status stays.
create index conversations_active on conversations (id) where status = 'ACTIVE';

-- Lists: one index for each order, which also answers every filter on the conversation itself, so that neither a page nor
-- a count looks at the table for those that it passes over. What is included changes seldom, or when the status does.
create index conversations_created on conversations (created_at, id)
    include (status, mode, source, started_at, first_event_at);
create index conversations_started on conversations (coalesce(started_at, first_event_at), id)
    include (status, mode, source, started_at, first_event_at, settled_duration_ms); -- the last for averages
create index conversations_messages on conversations (settled_messages, id)
    include (status, mode, source, started_at, first_event_at) where settled_messages is not null;
create index conversations_tokens on conversations (settled_tokens, id)
    include (status, mode, source, started_at, first_event_at) where settled_tokens is not null;
create index conversations_cost on conversations (settled_cost, id)
    include (status, mode, source, started_at, first_event_at) where settled_cost is not null;
create index conversations_duration on conversations (settled_duration_ms, id)
    include (status, mode, source, started_at, first_event_at) where settled_duration_ms is not null;

-- What was reported wins over what was counted, whatever comes after.
create view conversations_with_totals as
    select c.*,
        coalesce(reported_messages, message_count) as total_messages,
        coalesce(reported_tokens, message_tokens) as total_tokens,
        coalesce(reported_cost, message_cost) as total_cost,
        coalesce(reported_duration_ms, message_duration_ms) as total_duration_ms
    from conversations as c;

create table messages (
    conversation_id text collate "C" not null,
    position bigint not null,
    message_id text not null,
    agent_id text,
    agent_type text,
    agent_name text,
    role text,
    content text not null,
    model text,
    sequence_number bigint,
    turn_number bigint,
    tokens_used bigint,
    input_tokens bigint,
    output_tokens bigint,
    cost numeric,
    duration_ms bigint,
    created_at timestamptz not null,
    -- With the order in which they are read: to find a page of a conversation, no look at its rows. An index in that order
    -- would cost each append a second one.
    primary key (conversation_id, position) include (sequence_number, created_at)
);

create table conversation_agents (
    conversation_id text collate "C" not null,
    ordinal integer not null,
    agent_id text,
    agent_type text,
    name text,
    model text,
    prompt text,
    cli_version text,
    primary key (conversation_id, ordinal)
);

create index conversation_agents_type on conversation_agents (agent_type, conversation_id);
-- Models are of any length, index rows are not.
create index conversation_agents_model on conversation_agents (left(model, 120), agent_type, conversation_id);
-- Most models belong to one type of agent: else PostgreSQL takes the conversations with both for far fewer than they are.
create statistics conversation_agents_types_of_models (mcv) on agent_type, (left(model, 120)) from conversation_agents;

-- Conversations that were deleted while their messages and events are still being taken away: all below the position, at
-- which the log tells of it.
create table deletions (
    conversation_id text collate "C" primary key,
    position bigint not null,
    begun_at timestamptz not null default now()
);

-- Random, so that two logs never share an epoch: 6 digits in base 36.
insert into event_log (epoch)
select string_agg(substr('0123456789abcdefghijklmnopqrstuvwxyz', 1 + floor(random() * 36)::integer, 1), '')
from generate_series(1, 6);

---------------------------------------------------------------------------------------------------------- the append

-- The last position that was given out. Whoever needs it for writing holds the lock on event_log's row.
create function log_head() returns bigint language sql stable as
$$
    select greatest(head_min, floor, (select max(position) from events)) from event_log
$$;

-- A position is never given out twice, also if its event was the last one and was deleted. Deletions elsewhere, and
-- those at or below the floor (all that retention does) leave the row, which is the lock of all appends, alone.
create function keep_log_head() returns trigger language plpgsql as
$$
declare
    gone_max constant bigint := (select max(position) from gone);
begin
    if gone_max is not null and not exists (select from events where position > gone_max) then
        update event_log set head_min = gone_max where greatest(head_min, floor) < gone_max;
    end if;
    return null;
end
$$;

create trigger keep_log_head after delete on events referencing old table as gone
    for each statement execute function keep_log_head();

-- Exact, unlike to_timestamp(double precision) and micros * interval '1 microsecond', which are rounded to 53 bits: a
-- number of hours in microseconds has ten zero bits at its end, and what is left of an hour is below 2^32. Stable, not
-- immutable, since only then PostgreSQL inlines it (timestamptz + interval is stable).
create function from_epoch_micros(micros bigint) returns timestamptz language sql stable as
$$
    select timestamptz 'epoch' + micros / 3600000000 * interval '1 hour' + micros % 3600000000 * interval '1 microsecond'
$$;

create function status_of(status_order bigint) returns text language sql immutable as
$$
    select case status_order & 7
        when 2 then 'ERROR'
        when 3 then 'COMPLETED'
        when 4 then 'INTERRUPTED'
        when 5 then 'ERROR'
        else 'ACTIVE'
    end
$$;

-- Sums that stay at the greatest bigint rather than fail: one absurd count must not spoil the batch that it came in.
create function saturated(sum numeric) returns bigint language sql immutable as
$$
    select least(sum, 9223372036854775807)::bigint
$$;

-- Whether a message says what an earlier one said. Where secrets were taken out of one of them (REDACT was turned on or off
-- in between, or finds more than it did), only what stands before the first mark can be compared.
create function same_content(earlier text, later text) returns boolean language sql immutable as
$$
    select earlier = later or coalesce((
        select left(earlier, mark - 1) = left(later, mark - 1)
        from least(nullif(strpos(earlier, '[redacted: '), 0), nullif(strpos(later, '[redacted: '), 0)) as mark), false)
$$;

-- Brings the settled totals of some conversations up to date. To be called for each whose status, sums or reports have
-- changed, if it is not ACTIVE now or was not before.
create function settle_conversations(ids text[]) returns void language sql as
$$
    update conversations as c set
        settled_messages = s.messages, settled_tokens = s.tokens, settled_cost = s.cost,
        settled_duration_ms = s.duration_ms
    from (
        select id as id,
            case when status <> 'ACTIVE' then total_messages end,
            case when status <> 'ACTIVE' then total_tokens end,
            case when status <> 'ACTIVE' then total_cost end,
            case when status <> 'ACTIVE' then total_duration_ms end
        from conversations_with_totals where id = any (ids)) as s (id, messages, tokens, cost, duration_ms)
    where c.id = s.id
        and (c.settled_messages, c.settled_tokens, c.settled_cost, c.settled_duration_ms)
            is distinct from (s.messages, s.tokens, s.cost, s.duration_ms)
$$;

-- The part of append_events for all but messages. Their conversations' rows are there by now. An event is named by its
-- ordinal in the arrays and counts only if it is among those stored.
create function apply_rare_events(
    identities bytea[], conversation_ids text[], at_micros bigint[], rare json, head_before bigint, stored bigint[])
returns void language plpgsql as
$$
begin
    -- There is one start for a conversation, since that is its identity.
    update conversations as c set
        mode = s.mode,
        initial_prompt = s.initial_prompt,
        max_turns = s.max_turns,
        started_at = from_epoch_micros(at_micros[s.ordinal]),
        system_info = s.system_info::json,
        command = s.command::json
    from json_to_recordset(rare -> 'starts') as s (
        ordinal integer, mode text, initial_prompt text, max_turns bigint, system_info text, command text)
    where c.id = conversation_ids[s.ordinal] and head_before + s.ordinal = any (stored);

    insert into conversation_agents (
        conversation_id, ordinal, agent_id, agent_type, name, model, prompt, cli_version)
    select conversation_ids[p.ordinal], p.participant, p.agent_id, p.agent_type, p.name, p.model, p.prompt,
        p.cli_version
    from json_to_recordset(rare -> 'participants') as p (
        ordinal integer, participant integer, agent_id text, agent_type text, name text, model text, prompt text,
        cli_version text)
    where head_before + p.ordinal = any (stored)
    on conflict do nothing;

    -- Of completions that report something, the newest wins: here in the batch, then against what is there.
    update conversations as c set
        reported_at = r.at,
        reported_identity = r.identity,
        reported_messages = r.total_messages,
        reported_turns = r.total_turns,
        reported_tokens = r.total_tokens,
        reported_cost = r.total_cost,
        reported_duration_ms = r.duration_seconds * 1000,
        summary_short_text = r.summary ->> 'short_text',
        summary_text = r.summary ->> 'text',
        summary = r.summary
    from (
        select distinct on (conversation_id) *
        from json_to_recordset(rare -> 'completions') as all_reports (
            ordinal integer, total_messages bigint, total_turns bigint, total_tokens bigint, total_cost numeric,
            duration_seconds numeric, summary json),
            lateral (select conversation_ids[ordinal], from_epoch_micros(at_micros[ordinal]), identities[ordinal])
                as envelope (conversation_id, at, identity)
        where head_before + ordinal = any (stored)
        order by conversation_id, at desc, identity desc) as r
    where c.id = r.conversation_id
        and (c.reported_at is null or (c.reported_at, c.reported_identity) < (r.at, r.identity));

    -- The same for errors, which are counted, too.
    with errors as materialized (
        select conversation_id, at, identity, error_message, error_type
        from json_to_recordset(rare -> 'errors') as all_errors (
            ordinal integer, error_message text, error_type text),
            lateral (select conversation_ids[ordinal], from_epoch_micros(at_micros[ordinal]), identities[ordinal])
                as envelope (conversation_id, at, identity)
        where head_before + ordinal = any (stored))
    update conversations as c set
        error_count = c.error_count + (select count(*) from errors as e where e.conversation_id = c.id),
        (error_at, error_identity, error_message, error_type) = (
            select at, identity, error_message, error_type from (
                select c.error_at, c.error_identity, c.error_message, c.error_type where c.error_at is not null
                union all
                select at, identity, error_message, error_type from errors as e where e.conversation_id = c.id)
                as candidates (at, identity, error_message, error_type)
            order by at desc, identity desc limit 1)
    where c.id in (select conversation_id from errors);
end
$$;

-- The append: one call, one round trip, one transaction. Stores those of the given events that are new, in their order,
-- and moves what is derived from them.
--
-- A function rather than one long statement with a "with" for each table:
--   * Its statements are planned once a session, also behind a pooler that allows no prepared statements. Planning such
--     a statement takes longer than running it for one event (measured: 1.3 ms with it, 0.65 ms without). The settings
--     at the end are in force only inside.
--   * Each of its statements sees what was committed before it began. A statement that waits for the lock and then goes
--     on sees what was committed before it began to wait, so it could not look up what other servers just stored.
--   * What is rare (all but messages) costs nothing when it is absent.
--
-- The first arrays have one element for each event: status_orders as in conversations.status_order, null for an event
-- that touches no conversation. Those from message_ids on are null for events that are no messages. "rare" holds the
-- details of the others by kind, each naming its event by its ordinal from 1; null if there are none.
--
-- An upload has put its payloads and contents into their tables before, without the lock that is held here, and passes
-- null for both: all is derived from such an event, but its rows are the caller's, who gives them their positions. The
-- last event of a call must have a row, so that its position is the head.
--
-- head is the last position stored; known is null if all events were new, else it has the position of the first event
-- with the same identity for each (its own, if it is new), or 0 if that is a message with another conversation or
-- content.
create function append_events(
    identities bytea[], types text[], conversation_ids text[], at_micros bigint[], status_orders bigint[],
    payloads text[], message_ids text[], agent_ids text[], agent_types text[], agent_names text[], roles text[],
    contents text[], models text[], sequence_numbers bigint[], turn_numbers bigint[], tokens_used bigint[],
    input_tokens bigint[], output_tokens bigint[], costs text[], durations_ms bigint[], rare json,
    out head_before bigint, out head bigint, out known bigint[])
language plpgsql as
$$
#variable_conflict use_column
declare
    event_count constant integer := cardinality(identities);
    stored bigint[];
    unsettled text[];
begin
    -- 1. The lock, held until the commit is visible: positions become visible in their order.
    perform from event_log for update;
    select greatest(head_min, floor, (select max(position) from events)) into head_before from event_log; -- log_head()

    -- 2. Which of them are new. "order by": of two equal ones in this call, the first.
    with inserted as (
        insert into event_identities (identity, position)
        select identity, head_before + ordinal
        from unnest(identities) with ordinality as input (identity, ordinal)
        order by ordinal
        on conflict do nothing
        returning position)
    select array_agg(position), coalesce(max(position), head_before) from inserted into stored, head;

    if stored is not null then
        -- 3. The events, the messages, and the sums.
        with input as materialized (
            select * from (
                select
                    head_before + generate_series(1, event_count) as position,
                    unnest(types) as type,
                    unnest(conversation_ids) as conversation_id,
                    from_epoch_micros(unnest(at_micros)) as event_at,
                    unnest(status_orders) as status_order,
                    unnest(payloads) as payload,
                    unnest(message_ids) as message_id,
                    unnest(agent_ids) as agent_id,
                    unnest(agent_types) as agent_type,
                    unnest(agent_names) as agent_name,
                    unnest(roles) as role,
                    unnest(contents) as content,
                    unnest(models) as model,
                    unnest(sequence_numbers) as sequence_number,
                    unnest(turn_numbers) as turn_number,
                    unnest(tokens_used) as tokens_used,
                    unnest(input_tokens) as input_tokens,
                    unnest(output_tokens) as output_tokens,
                    unnest(costs)::numeric as cost,
                    unnest(durations_ms) as duration_ms) as all_events
            where cardinality(stored) = event_count or position = any (stored)),
        new_events as (
            insert into events (position, type, conversation_id, event_at, payload)
            select position, type, conversation_id, event_at, payload from input where payload is not null),
        new_messages as (
            insert into messages (conversation_id, position, message_id, agent_id, agent_type, agent_name, role,
                content, model, sequence_number, turn_number, tokens_used, input_tokens, output_tokens, cost, duration_ms,
                created_at)
            select conversation_id, position, message_id, agent_id, agent_type, agent_name, role, content,
                model, sequence_number, turn_number, tokens_used, input_tokens, output_tokens, cost, duration_ms,
                event_at
            from input where content is not null),
        touched as (
        insert into conversations as c (id, status_order, status, completed_at, first_event_at, last_event_at,
            message_count, message_tokens, message_cost, message_duration_ms)
        select conversation_id, max(status_order), status_of(max(status_order)), max(event_at) filter (where status_order & 7 >= 3),
            min(event_at), max(event_at), count(message_id),
            saturated(coalesce(sum(coalesce(tokens_used::numeric, input_tokens::numeric + output_tokens,
                input_tokens, output_tokens)), 0)),
            coalesce(sum(cost), 0), saturated(coalesce(sum(duration_ms), 0))
        from input where status_order is not null
        group by conversation_id
        on conflict (id) do update set
            status_order = greatest(c.status_order, excluded.status_order),
            status = status_of(greatest(c.status_order, excluded.status_order)),
            completed_at = greatest(c.completed_at, excluded.completed_at),
            first_event_at = least(c.first_event_at, excluded.first_event_at),
            last_event_at = greatest(c.last_event_at, excluded.last_event_at),
            last_received_at = greatest(c.last_received_at, excluded.last_received_at),
            message_count = c.message_count + excluded.message_count,
            message_tokens = saturated(c.message_tokens::numeric + excluded.message_tokens),
            message_cost = c.message_cost + excluded.message_cost,
            message_duration_ms = saturated(c.message_duration_ms::numeric + excluded.message_duration_ms)
        returning id, status, settled_messages)
        select array_agg(id) from touched where status <> 'ACTIVE' or settled_messages is not null into unsettled;
    end if;

    if stored is not null and rare is not null then
        perform apply_rare_events(identities, conversation_ids, at_micros, rare, head_before, stored);
    end if;
    if unsettled is not null then
        perform settle_conversations(unsettled);
    end if;

    -- 4. What became of those that are not new: the rarest case, a repeat.
    if stored is null or cardinality(stored) < event_count then
        select array_agg(
            case when input.message_id is not null and (
                    exists (select from events as e where e.position = earlier.position
                        and e.conversation_id is distinct from input.conversation_id)
                    or exists (select from messages as m where m.conversation_id = input.conversation_id
                        and m.position = earlier.position and not same_content(m.content, input.content)))
                then 0 else earlier.position end
            order by input.ordinal)
        from unnest(identities, conversation_ids, message_ids, contents) with ordinality
            as input (identity, conversation_id, message_id, content, ordinal)
        left join event_identities as earlier on earlier.identity = input.identity
        into known;
    end if;
end
$$
set plan_cache_mode = force_generic_plan
set jit = off;
