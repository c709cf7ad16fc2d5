-- Two roles that own nothing: every transaction takes one of them, and row-level security holds for both.
--   molar_app     acts for one org, the one in the setting app.org_id
--   molar_system  looks across orgs: authentication, dispatch, live events
-- Roles belong to the cluster, and another database may be making them at this moment.
do $$
declare
  name text;
begin
  foreach name in array array['molar_app', 'molar_system'] loop
    if not exists (select from pg_roles where rolname = name) then
      begin
        execute format('create role %I nologin noinherit', name);
      exception when duplicate_object or unique_violation then
        null;
      end;
    end if;
  end loop;
exception when insufficient_privilege then
  raise exception 'The roles molar_app and molar_system are missing, and % may not create them. '
    'Let an administrator run: create role molar_app nologin; create role molar_system nologin; '
    'grant molar_app, molar_system to % with admin option;', current_user, current_user;
end
$$;

-- Lets a login role take Molar's roles with SET LOCAL ROLE. Without inheritance: a statement that takes none of them
-- sees nothing. PostgreSQL 16 split SET and INHERIT from membership; 15 has membership alone.
create function app.let_in(login text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  name text;
  kind text := case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end;
begin
  foreach name in array array['molar_app', 'molar_system'] loop
    if not pg_has_role(login, name, kind) then
      if kind = 'SET' then
        execute format('grant %I to %I with inherit false, set true', name, login);
      else
        execute format('grant %I to %I', name, login);
      end if;
    end if;
  end loop;
  execute format('grant connect on database %I to %I', current_database(), login);
end
$$;
revoke execute on function app.let_in(text) from public;
select app.let_in(current_user::text);

-- The org of this transaction. After SET LOCAL ends the setting reads '' and not NULL.
create function app.current_org() returns uuid
language sql stable parallel safe
as $$ select (select nullif(current_setting('app.org_id', true), '')::uuid) $$;

-- Makes a table belong to orgs: it has a column org_id uuid, and molar_app sees and writes its own org's rows only. The
-- policy spells app.current_org() out: planning every statement anew with the function in it costs 7 % more.
create function app.tenant_table(name regclass) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  own text := 'org_id = (select nullif(current_setting(''app.org_id'', true), '''')::uuid)';
begin
  execute format('alter table %s enable row level security', name);
  execute format('alter table %s force row level security', name);
  execute format('create policy tenant on %s to molar_app using (%s) with check (%s)', name, own, own);
  execute format('create policy system on %s to molar_system using (true) with check (true)', name);
  execute format('grant select, insert, update, delete on %s to molar_app, molar_system', name);
end
$$;

-- Makes a table that belongs to no org: molar_system reads and writes it, molar_app reads it only if asked for.
create function app.shared_table(name regclass, readable_by_tenants boolean default false) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format('grant select, insert, update, delete on %s to molar_system', name);
  if readable_by_tenants then
    execute format('grant select on %s to molar_app', name);
  end if;
end
$$;
revoke execute on function app.tenant_table(regclass), app.shared_table(regclass, boolean) from public;

-- Tables have no default grants on purpose: one that nobody scoped must be out of reach, not open to every org.
grant usage on schema public, app to molar_app, molar_system;
grant execute on function app.current_org() to molar_app, molar_system;
revoke create on schema public from public;
alter default privileges in schema public grant usage, select on sequences to molar_app, molar_system;
alter default privileges in schema app grant usage, select on sequences to molar_app, molar_system;
