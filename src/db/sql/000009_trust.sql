-- Keys, and what is sealed under them.

-- The roots of all keys of this installation, each wrapped by a key that is derived from a MOLAR_SECRET. Another
-- MOLAR_SECRET wraps them anew, and nothing else changes.
create table installation_keys (
  id smallint primary key check (id between 1 and 255),
  wrapped bytea not null,
  -- Which secret wraps it: a hash of it.
  secret_id text not null,
  -- By then every process has read it.
  active_at timestamptz(3) not null,
  created_at timestamptz(3) not null default now()
);
select app.shared_table('installation_keys');

-- A data key for each org that has secrets, wrapped by a key of the installation. Without this row nothing of what the
-- org sealed can ever be read again.
create table org_keys (
  org_id uuid primary key references orgs on delete cascade,
  wrapped bytea not null,
  created_at timestamptz(3) not null default now(),
  wrapped_at timestamptz(3) not null default now()
);

create table secrets (
  org_id uuid not null references org_keys on delete cascade,
  name text not null check (name ~ '^[A-Za-z0-9_-]{1,100}$'),
  version int not null,
  sealed bytea not null,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  primary key (org_id, name)
);

select app.tenant_table(name) from unnest(array['org_keys', 'secrets']) as name;
