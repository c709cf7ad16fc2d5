-- A failed run's trace is pinned by itself: when an org is over its quota, that one may still go. One that somebody
-- pinned may not.
alter table traces add column pinned_by_hand boolean not null default false;
