-- The OAuth server: which apps there are, whom they act for, and what a sign-in of theirs remembers.

-- Apps that registered themselves. Those that nobody uses are forgotten.
create table oauth_clients (
  id text primary key,
  -- Sealed: it may hold a secret of the app.
  metadata bytea not null,
  created_at timestamptz(3) not null default now(),
  last_used_at timestamptz(3) not null default now()
);
create index oauth_clients_by_use on oauth_clients (last_used_at);
select app.shared_table('oauth_clients');

-- A person let an app act for them in one org. It ends with their membership, and everything that hangs on it ends with it.
create table oauth_grants (
  id uuid primary key,
  user_id uuid not null,
  org_id uuid not null,
  client_id text not null,
  client_name text not null,
  -- Where the app gets its answer: what tells two apps of one name apart. None where a code is typed in.
  redirect_host text,
  scopes text[] not null,
  created_at timestamptz(3) not null default now(),
  last_used_at timestamptz(3) not null default now(),
  foreign key (org_id, user_id) references members on delete cascade
);
create index oauth_grants_list on oauth_grants (user_id, created_at desc, id desc);
create index oauth_grants_by_membership on oauth_grants (org_id, user_id);
select app.person_table('oauth_grants');

-- Codes, refresh tokens, sign-ins under way. What opens them is kept as an HMAC only, what they hold is sealed.
create table oauth_records (
  model text not null,
  fingerprint bytea not null,
  payload bytea not null,
  grant_id uuid references oauth_grants on delete cascade,
  -- HMAC of a second name: a session's uid, the code that a person types.
  alias bytea,
  expires_at timestamptz(3) not null,
  consumed_at timestamptz(3),
  primary key (model, fingerprint)
);
create index oauth_records_by_alias on oauth_records (model, alias) where alias is not null;
create index oauth_records_by_grant on oauth_records (grant_id) where grant_id is not null;
create index oauth_records_by_end on oauth_records (expires_at);
select app.shared_table('oauth_records');

-- An access token is a credential like any other, and ends with the grant that it is of.
alter table credentials
  add column grant_id uuid references oauth_grants on delete cascade,
  add constraint credentials_grant check ((kind = 'oauth') = (grant_id is not null));
create index credentials_by_grant on credentials (grant_id) where grant_id is not null;

-- As before, but all tokens of one grant are one credential: what an app opened with one goes on with the next.
grant create on schema app to molar_system;
set local role molar_system;
create or replace function app.enter(shown bytea) returns text
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  holder record;
begin
  select c.id, c.grant_id, c.kind, c.name, coalesce(m.role, c.role) as role, c.scopes, c.expires_at, c.last_used_at,
         o.id as org_id, o.slug as org_slug, o.name as org_name, u.id as user_id, u.email as user_email, u.name as user_name
  into holder
  from credentials c
    join orgs o on o.id = c.org_id
    left join users u on u.id = c.user_id
    left join members m on c.kind in ('pat', 'oauth') and m.org_id = c.org_id and m.user_id = c.user_id
  where c.fingerprint = shown and c.revoked_at is null and (c.expires_at is null or c.expires_at > now())
    and (c.kind not in ('pat', 'oauth') or m.role is not null);
  if not found then
    perform set_config('app.org_id', '', true);
    return null;
  end if;
  if holder.last_used_at is null or holder.last_used_at < now() - interval '1 minute' then
    update credentials set last_used_at = now() where id = holder.id;
  end if;
  perform set_config('app.org_id', holder.org_id::text, true);
  holder.id := coalesce(holder.grant_id, holder.id);
  return to_json(holder)::text;
end
$$;
reset role;
revoke create on schema app from molar_system;
