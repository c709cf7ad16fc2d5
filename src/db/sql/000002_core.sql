-- What every later noun stands on. Statuses are text with CHECK (equality on an enum is not leakproof, so a policy
-- would keep its index from being used). Ids are UUIDv7 made by the application.
-- Times have milliseconds, as JavaScript has: a list cursor made of one is exact.

create table orgs (
  id uuid primary key,
  slug text not null unique check (slug ~ '^[a-z0-9-]{1,64}$'),
  name text not null,
  created_at timestamptz(3) not null default now()
);

create table users (
  id uuid primary key,
  email text not null,
  name text not null,
  created_at timestamptz(3) not null default now()
);
create unique index users_email on users (lower(email));

create table members (
  org_id uuid not null references orgs on delete cascade,
  user_id uuid not null references users on delete cascade,
  role text not null check (role in ('owner', 'admin', 'maintainer', 'viewer', 'billing')),
  created_at timestamptz(3) not null default now(),
  primary key (org_id, user_id)
);

-- Keys, tokens and their kin: one noun, one table. Only an HMAC of the plaintext is kept.
create table credentials (
  id uuid primary key,
  org_id uuid not null references orgs on delete cascade,
  kind text not null check (kind in ('api_key')),
  name text not null check (length(name) between 1 and 100),
  prefix text not null,
  fingerprint bytea not null unique,
  scopes text[] not null,
  role text not null check (role in ('owner', 'admin', 'maintainer', 'viewer', 'billing')),
  user_id uuid references users on delete cascade,
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3),
  last_used_at timestamptz(3),
  revoked_at timestamptz(3)
);
create index credentials_list on credentials (org_id, created_at desc, id desc);

-- A scenario's id is its author's, so its key is (org, id).
create table scenarios (
  org_id uuid not null references orgs on delete cascade,
  id uuid not null,
  slug text not null check (slug ~ '^[a-z0-9-]{1,64}$'),
  title text not null,
  description text not null,
  priority text not null,
  tags text[] not null,
  version int not null,
  hash text not null,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  archived_at timestamptz(3),
  primary key (org_id, id)
);
create unique index scenarios_slug on scenarios (org_id, slug) where archived_at is null;
create index scenarios_list on scenarios (org_id, updated_at desc, id desc);

create table scenario_versions (
  org_id uuid not null,
  scenario_id uuid not null,
  version int not null,
  hash text not null,
  content text not null,
  created_at timestamptz(3) not null default now(),
  primary key (org_id, scenario_id, version),
  foreign key (org_id, scenario_id) references scenarios on delete cascade
);

create table runs (
  id uuid primary key,
  org_id uuid not null references orgs on delete cascade,
  scenario_id uuid not null,
  scenario_version int not null,
  slug text not null,
  title text not null,
  type text not null check (type in ('manual', 'pr', 'schedule', 'shadow_diff')),
  status text not null check (status in ('queued', 'running', 'passed', 'failed', 'errored', 'aborted')),
  region text not null,
  base_url text,
  repo text,
  commit_sha text,
  pr_number int,
  variables jsonb not null default '{}',
  data_row int,
  -- Names and sealed values of the secrets that the caller gave for this run; erased when it ends.
  secrets bytea,
  attempt int not null default 0,
  -- Which worker holds the run: a worker whose token is no longer here may not write.
  lease uuid,
  retries_left int not null default 0,
  flaky boolean not null default false,
  step_count int not null,
  steps jsonb not null default '[]',
  failure jsonb,
  diagnosis jsonb,
  failure_signature text,
  rerun_of uuid,
  created_by uuid,
  cancel_requested_at timestamptz(3),
  created_at timestamptz(3) not null default now(),
  started_at timestamptz(3),
  finished_at timestamptz(3),
  duration_ms int,
  foreign key (org_id, scenario_id, scenario_version) references scenario_versions on delete cascade
);
create index runs_list on runs (org_id, created_at desc, id desc);
create index runs_by_status on runs (org_id, status, created_at desc, id desc);
create index runs_by_scenario on runs (org_id, scenario_id, created_at desc, id desc);
create index runs_by_repo on runs (org_id, repo, created_at desc, id desc) where repo is not null;
create index runs_open on runs (created_at) where status in ('queued', 'running');

-- seq is given by the run's one owner, so it has no gaps and commits in order.
create table run_events (
  org_id uuid not null,
  run_id uuid not null references runs on delete cascade,
  seq bigint not null,
  attempt int not null,
  ts bigint not null,
  kind text not null,
  step_id text,
  data jsonb not null,
  primary key (run_id, seq)
);

-- One trace a run.
create table traces (
  id uuid primary key,
  org_id uuid not null references orgs on delete cascade,
  run_id uuid not null unique references runs on delete cascade,
  short_id text not null unique,
  scenario_id uuid not null,
  scenario_title text not null,
  status text not null check (status in ('queued', 'running', 'passed', 'failed', 'errored', 'aborted')),
  source text not null check (source in ('manual', 'pr', 'schedule', 'shadow_diff')),
  tier text not null default 'hot' check (tier in ('hot', 'warm', 'cold')),
  pinned boolean not null default false,
  code_sha text,
  failure_signature text,
  failure_message text not null default '',
  duration_ms int,
  total_size_bytes bigint not null default 0,
  blob_count int not null default 0,
  created_at timestamptz(3) not null default now(),
  search tsvector generated always as (to_tsvector('simple', scenario_title || ' ' || coalesce(failure_signature, '') || ' ' || failure_message)) stored
);
create index traces_list on traces (org_id, created_at desc, id desc);
create index traces_by_status on traces (org_id, status, created_at desc, id desc);
create index traces_by_scenario on traces (org_id, scenario_id, created_at desc, id desc);
create index traces_by_signature on traces (org_id, failure_signature, created_at desc, id desc);
create index traces_search on traces using gin (search);

create table blobs (
  org_id uuid not null references orgs on delete cascade,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  size bigint not null,
  media_type text not null,
  created_at timestamptz(3) not null default now(),
  primary key (org_id, sha256)
);

-- A trace's manifest.
create table trace_artifacts (
  org_id uuid not null,
  trace_id uuid not null references traces on delete cascade,
  kind text not null,
  name text not null,
  sha256 text not null,
  step_id text,
  created_at timestamptz(3) not null default now(),
  primary key (trace_id, kind, name),
  foreign key (org_id, sha256) references blobs
);

-- Files that a scenario's steps upload.
create table scenario_assets (
  org_id uuid not null,
  scenario_id uuid not null,
  name text not null,
  sha256 text not null,
  primary key (org_id, scenario_id, name),
  foreign key (org_id, scenario_id) references scenarios on delete cascade,
  foreign key (org_id, sha256) references blobs
);

create table idempotency_keys (
  org_id uuid not null references orgs on delete cascade,
  id text not null,
  input_hash text not null,
  nonce uuid not null,
  claimed_until timestamptz(3) not null,
  expires_at timestamptz(3) not null,
  answer bytea,
  sealed boolean not null default false,
  primary key (org_id, id)
);
create index idempotency_keys_expiry on idempotency_keys (expires_at);

-- The hash chain of an org: each event's hash covers the hash before it.
create table audit_heads (
  org_id uuid primary key references orgs on delete cascade,
  seq bigint not null,
  hash bytea not null
);

create table audit_events (
  org_id uuid not null references orgs on delete cascade,
  seq bigint not null,
  id uuid not null,
  at timestamptz(3) not null,
  actor_kind text not null,
  actor_id uuid not null,
  actor_name text not null,
  command text not null,
  target text,
  door text not null,
  remote_address text,
  request_id text not null,
  result text not null,
  previous_hash bytea not null,
  hash bytea not null,
  primary key (org_id, seq)
);

select app.tenant_table(name) from unnest(array[
  'members', 'credentials', 'scenarios', 'scenario_versions', 'scenario_assets', 'runs', 'run_events', 'traces', 'blobs', 'trace_artifacts',
  'idempotency_keys', 'audit_heads', 'audit_events'
]) as name;

-- The audit trail only grows, whoever asks.
revoke update, delete, truncate on audit_events from molar_app, molar_system;

-- An org sees itself and its members' user rows.
alter table orgs enable row level security;
alter table orgs force row level security;
create policy tenant on orgs to molar_app using (id = app.current_org());
create policy system on orgs to molar_system using (true) with check (true);
grant select, update on orgs to molar_app;
grant select, insert, update, delete on orgs to molar_system;

alter table users enable row level security;
alter table users force row level security;
create policy tenant on users to molar_app using (exists (select from members where members.user_id = users.id));
create policy system on users to molar_system using (true) with check (true);
grant select on users to molar_app;
grant select, insert, update, delete on users to molar_system;

-- Full-text search is not leakproof: under a policy it could not use its index. So one function of the system role,
-- with the org's filter of its own: without an org it finds nothing.
grant create on schema app to molar_system;
set local role molar_system;
create function app.search_traces(query text) returns setof uuid
  language sql stable security definer set search_path = public, pg_temp
  as $$ select id from traces where org_id = app.current_org() and search @@ websearch_to_tsquery('simple', query)
        order by created_at desc limit 10000 $$;
revoke all on function app.search_traces(text) from public;
grant execute on function app.search_traces(text) to molar_app;
reset role;
revoke create on schema app from molar_system;
