create table removed_method (
  account_id text not null references account (id) on delete cascade,
  id text not null,
  created_at bigint not null,
  added_by text,
  added_from bytea,
  added_with text,
  removed_at bigint not null
);
create index removed_method_account_id on removed_method (account_id);
create index removed_method_removed_at on removed_method (removed_at);
