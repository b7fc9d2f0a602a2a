-- What agents have used, summed up, so that a question about a year does not read its messages.
--
-- Another view of the log up to a position (usage_progress): brought forward now and then, by whoever asks or has the time,
-- in steps of some thousand messages (advance_usage). The messages after that position are added up when somebody asks, so
-- the answer is exact at any time. Appends know nothing of it and pay for one index alone.
--
-- Nothing is counted twice or forgotten, whoever is at work and whatever is killed: sums and position move in one transaction,
-- under the lock of usage_progress. Whoever deletes messages takes them out of the sums in the same way (subtract_usage).

-- What follows a position. Measured: 68 bytes of write-ahead log and some 1.4 microseconds for a message.
create index messages_position on messages (position);

-- Exactly one row.
create table usage_progress (
    only_one boolean primary key default true check (only_one),
    -- Messages up to this position of the log are in the sums.
    position bigint not null default 0
);

insert into usage_progress default values;

-- Sums of messages by their time. No time zone is off by less than a quarter of an hour, so quarters give the days of all of
-- them; days, of UTC, keep long ranges short.
create table usage_totals (
    bucket_minutes integer not null, -- 15, 1440
    bucket_start timestamptz not null,
    -- Empty where the message had none; the first 255 characters, since this is the key of an index.
    agent_type text collate "C" not null,
    model text collate "C" not null,
    messages bigint not null,
    -- Conversations in which the agent first spoke then: each counts once for an agent type, with the model of that message.
    conversations bigint not null,
    -- A sum of 64-bit numbers may need more.
    input_tokens numeric not null,
    output_tokens numeric not null,
    total_tokens numeric not null,
    cost numeric not null,
    duration_ms numeric not null,
    primary key (bucket_minutes, bucket_start, agent_type, model)
)
with (fillfactor = 70);

-- In which conversations each type of agent has spoken, and where that was counted.
create table usage_agents (
    conversation_id text collate "C" not null,
    agent_type text collate "C" not null,
    model text collate "C" not null,
    bucket_start timestamptz not null, -- 15 minutes
    primary key (conversation_id, agent_type)
);

-- From the year -4712, before all times that an event can have: PostgreSQL 14 rounds those before the origin wrongly.
create function usage_quarter(at timestamptz) returns timestamptz language sql stable as
$$
    select date_bin('15 minutes', at, timestamptz '4713-01-01 00:00:00+00 BC')
$$;

-- Adds quarters to the sums, and the same to their days. By whoever holds the lock of usage_progress.
create function add_usage(quarters usage_totals[]) returns void language sql as
$$
    with buckets as (
        select * from unnest(quarters)
        union all
        select 1440, date_trunc('day', bucket_start, 'UTC'), agent_type, model, messages, conversations, input_tokens,
            output_tokens, total_tokens, cost, duration_ms
        from unnest(quarters))
    insert into usage_totals as t
    select bucket_minutes, bucket_start, agent_type, model, sum(messages), sum(conversations), sum(input_tokens),
        sum(output_tokens), sum(total_tokens), sum(cost), sum(duration_ms)
    from buckets
    group by bucket_minutes, bucket_start, agent_type, model
    on conflict (bucket_minutes, bucket_start, agent_type, model) do update set
        messages = t.messages + excluded.messages,
        conversations = t.conversations + excluded.conversations,
        input_tokens = t.input_tokens + excluded.input_tokens,
        output_tokens = t.output_tokens + excluded.output_tokens,
        total_tokens = t.total_tokens + excluded.total_tokens,
        cost = t.cost + excluded.cost,
        duration_ms = t.duration_ms + excluded.duration_ms
$$;

-- What the messages after one position and up to another add, in quarters; for positions that are not in the sums.
create function usage_between(done bigint, through bigint) returns setof usage_totals language sql stable as
$$
    with stepped as materialized (
        select conversation_id, position, usage_quarter(created_at) as bucket_start,
            left(coalesce(agent_type, ''), 255) as agent_type, left(coalesce(model, ''), 255) as model,
            input_tokens, output_tokens, cost, duration_ms,
            coalesce(tokens_used::numeric, input_tokens::numeric + output_tokens, input_tokens, output_tokens) as total_tokens
        from messages where position > done and position <= through),
    first_spoken as (
        select bucket_start, agent_type, model
        from (
            select distinct on (conversation_id, agent_type) conversation_id, bucket_start, agent_type, model
            from stepped
            order by conversation_id, agent_type, position) as first
        -- A value, for which PostgreSQL has to look into the index: "not exists" it would answer by reading the whole table.
        where (select a.bucket_start from usage_agents as a
            where a.conversation_id = first.conversation_id and a.agent_type = first.agent_type) is null)
    select 15, bucket_start, agent_type, model, sum(messages), sum(conversations), coalesce(sum(input_tokens), 0),
        coalesce(sum(output_tokens), 0), coalesce(sum(total_tokens), 0), coalesce(sum(cost), 0), coalesce(sum(duration_ms), 0)
    from (
        select bucket_start, agent_type, model, 1 as messages, 0 as conversations, input_tokens, output_tokens,
            total_tokens, cost, duration_ms
        from stepped
        union all
        select bucket_start, agent_type, model, 0, 1, 0, 0, 0, 0, 0 from first_spoken) as parts
    group by bucket_start, agent_type, model
$$;

-- One step: takes in the messages at the next positions, so many at most. Returns how many positions are left.
create function advance_usage(positions_max bigint) returns bigint language plpgsql as
$$
declare
    done bigint;
    head bigint;
    through bigint;
begin
    -- Each of these statements sees what was committed before it, also by the one who held the lock.
    select position from usage_progress for update into done;
    head := log_head();
    through := least(head, done + positions_max);
    if through > done then
        perform add_usage(array(select q from usage_between(done, through) as q));
        insert into usage_agents (conversation_id, agent_type, model, bucket_start)
        select distinct on (conversation_id, agent_type) conversation_id, left(coalesce(agent_type, ''), 255) as agent_type,
            left(coalesce(model, ''), 255), usage_quarter(created_at)
        from messages where position > done and position <= through
        order by conversation_id, agent_type, position
        on conflict do nothing;
        update usage_progress set position = through;
    end if;
    return head - through;
end
$$
set plan_cache_mode = force_custom_plan
set jit = off;

-- Takes deleted messages out again. After the lock, which tells up to where they are in; no step can be under way then that
-- still sees them.
create function subtract_usage() returns trigger language plpgsql as
$$
declare
    done bigint;
    quarters usage_totals[];
begin
    if not exists (select from gone where position > 0) then
        return null; -- never committed
    end if;
    select position from usage_progress for update into done;

    with left_for_good as (
        delete from usage_agents as a
        where conversation_id in (select conversation_id from gone)
            and not exists (select from messages as m where m.conversation_id = a.conversation_id)
        returning bucket_start, agent_type, model),
    parts as (
        select usage_quarter(created_at) as bucket_start,
            left(coalesce(agent_type, ''), 255) as agent_type, left(coalesce(model, ''), 255) as model,
            1 as messages, 0 as conversations, input_tokens, output_tokens, cost, duration_ms,
            coalesce(tokens_used::numeric, input_tokens::numeric + output_tokens, input_tokens, output_tokens) as total_tokens
        from gone where position > 0 and position <= done
        union all
        select bucket_start, agent_type, model, 0, 1, 0, 0, 0, 0, 0 from left_for_good)
    select array_agg(quarter) from (
        select row(15, bucket_start, agent_type, model, -sum(messages), -sum(conversations),
            -coalesce(sum(input_tokens), 0), -coalesce(sum(output_tokens), 0), -coalesce(sum(total_tokens), 0),
            -coalesce(sum(cost), 0), -coalesce(sum(duration_ms), 0))::usage_totals as quarter
        from parts
        group by bucket_start, agent_type, model) as summed
    into quarters;
    perform add_usage(quarters);

    delete from usage_totals as t using unnest(quarters) as q
    where t.messages = 0 and t.conversations = 0 and t.agent_type = q.agent_type and t.model = q.model
        and (t.bucket_minutes, t.bucket_start) in ((15, q.bucket_start), (1440, date_trunc('day', q.bucket_start, 'UTC')));
    return null;
end
$$
set plan_cache_mode = force_custom_plan
set jit = off;

create trigger subtract_usage after delete on messages referencing old table as gone
    for each statement execute function subtract_usage();
