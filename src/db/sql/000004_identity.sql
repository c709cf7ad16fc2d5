-- People and what they hold: more kinds of credentials, sessions, and what a person sees across orgs.

-- The person of this transaction, where one acts for themself and not for an org.
create function app.current_user_id() returns uuid
language sql stable parallel safe
as $$ select (select nullif(current_setting('app.user_id', true), '')::uuid) $$;
grant execute on function app.current_user_id() to molar_app, molar_system;

-- Makes a table belong to people: it has a column user_id, and molar_app sees and writes its own person's rows only.
create function app.person_table(name regclass) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  own text := 'user_id = (select nullif(current_setting(''app.user_id'', true), '''')::uuid)';
begin
  execute format('alter table %s enable row level security', name);
  execute format('alter table %s force row level security', name);
  execute format('create policy person on %s to molar_app using (%s) with check (%s)', name, own, own);
  execute format('create policy system on %s to molar_system using (true) with check (true)', name);
  execute format('grant select, insert, update, delete on %s to molar_app, molar_system', name);
end
$$;
revoke execute on function app.person_table(regclass) from public;

alter table orgs
  add column plan text not null default 'free',
  add column status text not null default 'running' check (status in ('awaiting_payment', 'provisioning', 'running', 'failed', 'deleting')),
  add column updated_at timestamptz(3) not null default now();

alter table users
  add column email_verified boolean not null default false,
  add column terms_version text,
  add column terms_accepted_at timestamptz(3),
  add column updated_at timestamptz(3) not null default now();

-- pat: a person's, with the role that they have in the org at the time of its use. svc: a program's, with a role of its own.
alter table credentials
  drop constraint credentials_kind_check,
  add constraint credentials_kind_check check (kind in ('local_owner', 'api_key', 'pat', 'svc', 'oauth')),
  add constraint credentials_person check (kind not in ('pat', 'oauth') or user_id is not null);

create table sessions (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  -- Only an HMAC of the cookie's token is kept.
  fingerprint bytea not null unique,
  -- The org that the person works in, until they choose another.
  active_org_id uuid references orgs on delete set null,
  ip_address text,
  user_agent text,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  expires_at timestamptz(3) not null
);
create index sessions_by_user on sessions (user_id, created_at desc);
select app.person_table('sessions');

-- A person sees their memberships and those orgs, whichever org is set; writing stays an org's.
create index members_by_user on members (user_id);
create policy person on members for select to molar_app
  using (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid));
create policy person on orgs for select to molar_app
  using (id in (select org_id from members where user_id = (select nullif(current_setting('app.user_id', true), '')::uuid)));

set local role molar_system;
-- What concerns no org (signing in, an account's changes) is audited and kept idempotent under the installation's own.
-- It has no members, and no person can choose its slug.
insert into orgs (id, slug, name) values ('00000000-0000-0000-0000-000000000000', '-', 'This installation');
update credentials set kind = 'local_owner' where name = 'local owner' and role = 'owner';
reset role;
