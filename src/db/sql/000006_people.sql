-- How people sign in. What proves who they are is the system's alone: no org and no person reads it.
alter table users add column two_factor_enabled boolean not null default false;

-- Whoever an org sees, it must not change; a person changes their own name.
drop policy tenant on users;
create policy tenant on users for select to molar_app
  using (exists (select from members where members.user_id = users.id));
create policy person on users to molar_app
  using (id = (select nullif(current_setting('app.user_id', true), '')::uuid))
  with check (id = (select nullif(current_setting('app.user_id', true), '')::uuid));
grant update (name, updated_at) on users to molar_app;

-- A password ("credential"), or a person at an outside provider. Providers' tokens are not kept.
create table accounts (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  provider text not null,
  subject text not null,
  password_hash text,
  scope text,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  unique (provider, subject)
);
create index accounts_by_user on accounts (user_id);

-- Links by mail, provider handshakes, second-factor and passkey challenges: looked up by a hash, their content sealed.
create table verifications (
  id text primary key,
  identifier text not null,
  value bytea not null,
  expires_at timestamptz(3) not null,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now()
);
create index verifications_by_identifier on verifications (identifier, created_at desc);
create index verifications_expiry on verifications (expires_at);

-- Secret and backup codes are encrypted by the application.
create table two_factors (
  id uuid primary key,
  user_id uuid not null unique references users on delete cascade,
  secret text not null,
  backup_codes text not null,
  verified boolean not null default false,
  failed_count int not null default 0,
  locked_until timestamptz(3)
);

create table passkeys (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  name text,
  public_key text not null,
  credential_id text not null unique,
  counter bigint not null,
  device_type text not null,
  backed_up boolean not null,
  transports text,
  aaguid text,
  created_at timestamptz(3) not null default now()
);
create index passkeys_by_user on passkeys (user_id, created_at);

-- How often somebody tried to sign in, or had a mail sent: one number each (GCRA).
create table sign_in_limits (
  key text primary key,
  due timestamptz(3) not null
);

-- Makes a table the system's alone.
create function app.system_table(name regclass) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format('alter table %s enable row level security', name);
  execute format('alter table %s force row level security', name);
  execute format('create policy system on %s to molar_system using (true) with check (true)', name);
  execute format('grant select, insert, update, delete on %s to molar_system', name);
end
$$;
revoke execute on function app.system_table(regclass) from public;
select app.system_table(name) from unnest(array['accounts', 'verifications', 'two_factors', 'sign_in_limits']) as name;
select app.person_table('passkeys');

-- A person's end: their account goes with what is theirs alone. Refused while an org would be left without an owner.
grant create on schema app to molar_system;
set local role molar_system;
create function app.sole_owner_of() returns setof text
  language sql stable security definer set search_path = public, pg_temp
  as $$ select o.slug from orgs o join members m on m.org_id = o.id
        where m.user_id = app.current_user_id() and m.role = 'owner'
          and not exists (select from members other where other.org_id = o.id and other.role = 'owner' and other.user_id <> m.user_id)
        order by o.slug $$;
create function app.delete_account() returns boolean
  language plpgsql volatile security definer set search_path = public, pg_temp as $$
begin
  -- Owners of an org leave one after the other, so that the last one is seen to be the last.
  perform from orgs o where o.id in (select org_id from members where user_id = app.current_user_id() and role = 'owner')
    order by o.id for update;
  if exists (select from app.sole_owner_of()) then
    return false;
  end if;
  delete from users where id = app.current_user_id();
  return found;
end $$;
create function app.sign_in_ways(out has_password boolean, out providers text[])
  language sql stable security definer set search_path = public, pg_temp
  as $$ select coalesce(bool_or(provider = 'credential'), false), coalesce(array_agg(provider order by provider) filter (where provider <> 'credential'), '{}')
        from accounts where user_id = app.current_user_id() $$;
revoke all on function app.sole_owner_of(), app.delete_account(), app.sign_in_ways() from public;
grant execute on function app.sole_owner_of(), app.delete_account(), app.sign_in_ways() to molar_app;
reset role;
revoke create on schema app from molar_system;
