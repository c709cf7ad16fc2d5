-- Orgs and who belongs to them: invitations, the last owner, terms, the end of an org. Limits, links and usage.

alter table orgs
  add column credits_balance bigint not null default 0,
  add column overage_used_credits bigint not null default 0,
  add column overage_cap_credits bigint not null default 0,
  drop constraint orgs_status_check,
  -- pending: an agent opened it for a person who has not confirmed it yet.
  add constraint orgs_status_check
    check (status in ('pending', 'awaiting_payment', 'provisioning', 'running', 'failed', 'deleting'));

create table invitations (
  id uuid primary key,
  org_id uuid not null references orgs on delete cascade,
  email text not null check (length(email) between 3 and 254),
  role text not null check (role in ('owner', 'admin', 'maintainer', 'viewer', 'billing')),
  -- Only an HMAC of the token in the mail is kept.
  fingerprint bytea not null unique,
  invited_by uuid references users on delete set null,
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3) not null,
  accepted_at timestamptz(3),
  revoked_at timestamptz(3)
);
create index invitations_list on invitations (org_id, created_at desc, id desc);
create unique index invitations_open on invitations (org_id, lower(email)) where accepted_at is null and revoked_at is null;
select app.tenant_table('invitations');

-- The record of an org's end, which outlives it: so no foreign key.
create table org_purges (
  id uuid primary key,
  org_id uuid not null unique,
  org_slug text not null,
  status text not null check (status in ('running', 'failed', 'completed')),
  last_step text,
  last_error text,
  attempts int not null default 1,
  started_by uuid,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  completed_at timestamptz(3)
);
select app.tenant_table('org_purges');
revoke delete on org_purges from molar_app, molar_system;

-- One-shot links that were used. Each is good once, so a second use finds its row.
create table link_uses (
  id uuid primary key,
  org_id uuid not null references orgs on delete cascade,
  expires_at timestamptz(3) not null
);
create index link_uses_expiry on link_uses (expires_at);
select app.tenant_table('link_uses');

-- Who was told that a token is about to run out.
alter table credentials add column expiry_told_at timestamptz(3);
create index credentials_expiring on credentials (expires_at) where revoked_at is null and expiry_told_at is null;

-- An agent opened the org for this person, and holds the credential. Only an HMAC of the mailed code is kept.
create table agent_signups (
  org_id uuid primary key references orgs on delete cascade,
  credential_id uuid not null references credentials on delete cascade,
  email text not null check (length(email) between 3 and 254),
  display_name text not null,
  note text,
  harness text,
  code bytea not null,
  code_expires_at timestamptz(3) not null,
  tries int not null default 0,
  created_at timestamptz(3) not null default now(),
  verified_at timestamptz(3)
);
create index agent_signups_by_email on agent_signups (lower(email), created_at);
select app.tenant_table('agent_signups');

-- What is left of an allowance: when the next call would be on time (GCRA: one instant holds the whole state). Losing
-- it costs nobody more than a minute's allowance, so it is not logged. Keys are of orgs, people and addresses.
create unlogged table rate_allowances (
  key text primary key,
  org_id uuid,
  due timestamptz not null,
  granted int not null
);
create index rate_allowances_org on rate_allowances (org_id);
create index rate_allowances_due on rate_allowances (due);
select app.shared_table('rate_allowances');

-- What an org used in a period (a UTC day) of what its plan limits.
create table usage_counters (
  org_id uuid not null references orgs on delete cascade,
  resource text not null,
  day date not null,
  used bigint not null,
  primary key (org_id, resource, day)
);
select app.tenant_table('usage_counters');

-- Usage on its way to the billing service. The id is the event's transaction id there: told twice, counted once.
create table usage_events (
  id uuid primary key,
  org_id uuid not null references orgs on delete cascade,
  meter text not null,
  quantity numeric not null,
  properties jsonb not null default '{}',
  at timestamptz(3) not null default now(),
  -- Whoever tells it just now, until then.
  claimed_until timestamptz(3),
  attempts int not null default 0,
  delivered_at timestamptz(3),
  -- Why the billing service will never take it.
  refusal text
);
create index usage_events_waiting on usage_events (at) where delivered_at is null and refusal is null;
select app.tenant_table('usage_events');

-- Functions of the system role: what a person does across orgs, and what an org's end needs. Each checks everything itself.
grant create on schema app to molar_system;
set local role molar_system;

-- An org keeps an owner for as long as it is there. Two owners who leave at once meet at the org's row.
create function app.keep_an_owner() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  state text;
begin
  if old.role <> 'owner' or (tg_op = 'UPDATE' and new.role = 'owner' and new.org_id = old.org_id) then
    return null;
  end if;
  select status into state from orgs where id = old.org_id for update;
  if found and state <> 'deleting' and not exists (select from members where org_id = old.org_id and role = 'owner') then
    raise exception 'The org would be left without an owner' using errcode = '23514', constraint = 'members_last_owner', table = 'members';
  end if;
  return null;
end
$$;

-- ok, quota (the person owns `most` orgs already) or taken (the slug).
create function app.create_org(new_id uuid, new_slug text, new_name text, new_plan text, new_status text, most int) returns text
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  person uuid := app.current_user_id();
begin
  perform 1 from users where id = person for update; -- two at once would both be the last one allowed
  if not found then
    raise exception 'An org is made by a person';
  end if;
  if most is not null and (select count(*) from members where user_id = person and role = 'owner') >= most then
    return 'quota';
  end if;
  insert into orgs (id, slug, name, plan, status) values (new_id, new_slug, new_name, new_plan, new_status)
    on conflict (slug) do nothing;
  if not found then
    return 'taken';
  end if;
  insert into members (org_id, user_id, role) values (new_id, person, 'owner');
  return 'ok';
end
$$;

create function app.accept_terms(version text) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$ update users set terms_version = version, terms_accepted_at = now(), updated_at = now() where id = app.current_user_id() $$;

-- Where an org is: what anybody may know who knows its name.
create function app.find_instance(wanted text) returns table (id uuid, slug text, status text)
language sql stable security definer set search_path = public, pg_temp
as $$ select id, slug, status from orgs where (id::text = lower(wanted) or slug = wanted) and slug <> '-' $$;

-- joined, member (already), absent (unknown, spent, revoked or run out), unverified or another (person than invited).
create function app.accept_invitation(token bytea) returns table (outcome text, org_id uuid)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  person users%rowtype;
  found_one invitations%rowtype;
begin
  select * into person from users where id = app.current_user_id();
  select i.* into found_one from invitations i
    where i.fingerprint = token and i.accepted_at is null and i.revoked_at is null and i.expires_at > now() for update;
  if not found or person.id is null then
    return query select 'absent', null::uuid;
  elsif lower(found_one.email) <> lower(person.email) then
    return query select 'another', null::uuid;
  elsif not person.email_verified then
    return query select 'unverified', null::uuid;
  else
    update invitations i set accepted_at = now() where i.id = found_one.id;
    insert into members as m (org_id, user_id, role) values (found_one.org_id, person.id, found_one.role)
      on conflict do nothing;
    return query select case when found then 'joined' else 'member' end, found_one.org_id;
  end if;
end
$$;

-- Tables that hold rows of orgs, those that point to others first, so that each can be emptied before what it points to.
create function app.org_tables() returns table (name regclass)
language sql stable set search_path = pg_catalog, pg_temp
as $$
  with recursive owned as (
    select c.oid from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
      and c.oid <> 'public.org_purges'::regclass
  ), deep (oid, depth) as (
    select oid, 0 from owned
    union
    select k.conrelid, d.depth + 1 from deep d
      join pg_constraint k on k.contype = 'f' and k.confrelid = d.oid and k.conrelid <> k.confrelid
      join owned o on o.oid = k.conrelid
    where d.depth < 20
  )
  select oid::regclass from deep group by oid order by max(depth) desc, oid
$$;

-- Deletes up to `batch` rows of the current org, which must be ending; answers how many, 0 when none is left but its own.
create function app.purge_rows(batch int) returns bigint
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  org uuid := app.current_org();
  target regclass;
  gone bigint;
begin
  perform 1 from orgs where id = org and status = 'deleting';
  if not found then
    return 0;
  end if;
  delete from pgboss.job where group_id = org::text or data ->> 'org_id' = org::text;
  for target in select name from app.org_tables() loop
    -- Members and the audit trail go last, with the org's row: an owner may have to ask again, and that is on record.
    continue when target = 'members'::regclass or target::text like 'audit\_%';
    execute format('delete from %s where ctid = any (array(select ctid from %s where org_id = $1 limit $2))', target, target)
      using org, batch;
    get diagnostics gone = row_count;
    if gone > 0 then
      return gone;
    end if;
  end loop;
  return 0;
end
$$;

-- The org's own row, and all that goes with it. Raises when a table would still hold rows of it.
create function app.purge_org() returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  org uuid := app.current_org();
  target regclass;
  left_over boolean;
begin
  delete from orgs where id = org and status = 'deleting';
  delete from pgboss.job where group_id = org::text or data ->> 'org_id' = org::text;
  for target in select name from app.org_tables() loop
    execute format('select exists (select from %s where org_id = $1)', target) into left_over using org;
    if left_over then
      raise exception 'Rows of an org that ended are left in %', target;
    end if;
  end loop;
end
$$;

-- An org for a person who does not know of it yet, with the key of the agent that opened it: ok, or limit (too many wait
-- for this address).
create function app.start_signup(
  new_org uuid, new_slug text, new_name text, new_key uuid, key_prefix text, key_fingerprint bytea, key_scopes text[],
  person_email text, shown_name text, person_note text, agent_harness text, code_hash bytea, code_minutes int
) returns text
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('signup ' || lower(person_email), 0));
  if (select count(*) from agent_signups where lower(email) = lower(person_email) and created_at > now() - interval '1 day') >= 3 then
    return 'limit';
  end if;
  insert into orgs (id, slug, name, status) values (new_org, new_slug, new_name, 'pending');
  insert into credentials (id, org_id, kind, name, prefix, fingerprint, scopes, role)
    values (new_key, new_org, 'svc', shown_name, key_prefix, key_fingerprint, key_scopes, 'maintainer');
  insert into agent_signups (org_id, credential_id, email, display_name, note, harness, code, code_expires_at)
    values (new_org, new_key, person_email, shown_name, person_note, agent_harness, code_hash, now() + code_minutes * interval '1 minute');
  return 'ok';
end
$$;

-- Gives the current org to the person whose mail held the code. The try must be counted already; the sixth one is wrong
-- whatever it holds. ok, wrong, or unconfirmed: whoever made the account of that address never showed that it is theirs.
create function app.claim_signup(code_hash bytea, new_user uuid, new_plan text, more_scopes text[]) returns text
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  signup agent_signups%rowtype;
  person uuid;
begin
  select * into signup from agent_signups s
    where s.org_id = app.current_org() and s.code = code_hash and s.tries <= 5 and s.code_expires_at > now()
      and s.verified_at is null for update;
  if not found then
    return 'wrong';
  end if;
  insert into users (id, email, name, email_verified) values (new_user, signup.email, split_part(signup.email, '@', 1), true)
    on conflict ((lower(email))) do nothing;
  select id into person from users where lower(email) = lower(signup.email) and email_verified;
  if not found then
    return 'unconfirmed';
  end if;
  insert into members (org_id, user_id, role) values (signup.org_id, person, 'owner') on conflict do nothing;
  update orgs set status = 'running', plan = new_plan, updated_at = now() where id = signup.org_id and status = 'pending';
  update credentials c set scopes = array(select distinct unnest(c.scopes || more_scopes)) where c.id = signup.credential_id;
  update agent_signups set verified_at = now() where org_id = signup.org_id;
  return 'ok';
end
$$;

revoke all on function app.create_org(uuid, text, text, text, text, int), app.accept_terms(text),
  app.find_instance(text), app.accept_invitation(bytea), app.org_tables(), app.purge_rows(int), app.purge_org(),
  app.start_signup(uuid, text, text, uuid, text, bytea, text[], text, text, text, text, bytea, int),
  app.claim_signup(bytea, uuid, text, text[]) from public;
grant execute on function app.create_org(uuid, text, text, text, text, int), app.accept_terms(text), app.find_instance(text),
  app.accept_invitation(bytea), app.org_tables(), app.purge_rows(int), app.purge_org(),
  app.start_signup(uuid, text, text, uuid, text, bytea, text[], text, text, text, text, bytea, int),
  app.claim_signup(bytea, uuid, text, text[]) to molar_app;
reset role;
revoke create on schema app from molar_system;

create trigger keep_an_owner after update or delete on members for each row execute function app.keep_an_owner();

set local role molar_system;
-- A laptop's org has no limits.
update orgs set plan = 'unlimited' where slug = 'local';
reset role;
