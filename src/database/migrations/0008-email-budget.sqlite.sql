create table email_budget (
  email_key text primary key,
  email text not null,
  sent integer not null,
  held_back integer not null,
  window_ends_at integer not null
) strict, without rowid;
create index email_budget_window_ends_at on email_budget (window_ends_at);
