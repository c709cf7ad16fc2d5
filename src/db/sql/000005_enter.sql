-- Who holds a credential, and from here on as its org: so that the statement behind it can come in the same round trip.
-- Answers the principal as JSON text; null where the credential is not known, was revoked or has run out, and then no
-- org is set. A person's own token gives what the person's role in the org gives at this moment. Its use is noted at
-- most once a minute.
grant create on schema app to molar_system;
set local role molar_system;
create function app.enter(shown bytea) returns text
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  holder record;
begin
  select c.id, c.kind, c.name, coalesce(m.role, c.role) as role, c.scopes, c.expires_at, c.last_used_at,
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
  return to_json(holder)::text;
end
$$;
revoke execute on function app.enter(bytea) from public;
grant execute on function app.enter(bytea) to molar_app;
reset role;
revoke create on schema app from molar_system;

-- PostgreSQL asks whether a function may be called before a statement's own change of role takes effect, so the login
-- itself must be let in to this one.
create or replace function app.let_in(login text) returns void
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
  execute format('grant usage on schema app to %I', login);
  execute format('grant execute on function app.enter(bytea) to %I', login);
end
$$;
select app.let_in(current_user::text);
