create table removed_method (
  account_id text not null references account (id) on delete cascade,
  id text not null,
  created_at integer not null,
  added_by text,
  added_from blob,
  added_with text,
  removed_at integer not null
) strict;
create index removed_method_account_id on removed_method (account_id);
create index removed_method_removed_at on removed_method (removed_at);
