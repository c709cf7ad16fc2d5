-- Runs that someone else executes and reports, and outlines of pages: short jobs whose answer comes through the database.

alter table runs
  -- Who executes it: a worker takes it from the queue, an external executor reports what it did.
  add column executor text not null default 'worker' check (executor in ('worker', 'external')),
  -- When an external executor last reported: one that falls silent is given up.
  add column heard_at timestamptz(3);
create index runs_external on runs (heard_at) where executor = 'external' and status = 'running';

create table outlines (
  id uuid primary key,
  org_id uuid not null references orgs on delete cascade,
  status text not null check (status in ('queued', 'done', 'failed')),
  request jsonb not null,
  -- Values of secrets that its steps use; erased when it ends.
  secrets bytea,
  answer jsonb,
  problem text,
  created_at timestamptz(3) not null default now(),
  finished_at timestamptz(3)
);
create index outlines_age on outlines (created_at);

select app.tenant_table('outlines');
