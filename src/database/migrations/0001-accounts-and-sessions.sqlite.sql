create table account (
  id text primary key,
  email text not null,
  email_key text not null unique,
  email_verified_at integer,
  password_hash text,
  password_set_at integer,
  password_used_at integer,
  password_blocked_at integer,
  credential_version integer not null default 1,
  suspended_at integer,
  created_at integer not null
) strict;

create table two_factor (
  account_id text primary key references account (id) on delete cascade,
  secret blob not null,
  confirmed_at integer,
  created_at integer not null
) strict;

create table used_step (
  account_id text not null references account (id) on delete cascade,
  step integer not null,
  primary key (account_id, step)
) strict, without rowid;

create table recovery_code (
  account_id text not null references account (id) on delete cascade,
  code_hash blob not null,
  primary key (account_id, code_hash)
) strict, without rowid;

create table session (
  token_hash blob primary key,
  id text not null unique,
  account_id text not null references account (id),
  browser text,
  os text,
  label text not null,
  created_at integer not null,
  expires_at integer not null,
  last_used_at integer not null,
  signed_in_with text not null,
  method_id text not null,
  proved_at integer not null,
  place text,
  unique (account_id, place)
) strict, without rowid;
create index session_expires_at on session (expires_at);

create table ended_session (
  token_hash blob primary key,
  session_id text not null,
  account_id text not null,
  reason text not null,
  by text,
  at integer not null,
  until integer not null
) strict, without rowid;
create index ended_session_session_id on ended_session (session_id);
create index ended_session_until on ended_session (until);

create table half_finished_sign_in (
  token_hash blob primary key,
  account_id text not null references account (id) on delete cascade,
  credential_version integer not null,
  signed_in_with text not null,
  method_id text not null,
  wrong_codes integer not null default 0,
  expires_at integer not null
) strict, without rowid;
create index half_finished_sign_in_account_id on half_finished_sign_in (account_id);
create index half_finished_sign_in_expires_at on half_finished_sign_in (expires_at);

create table mailed_link (
  token_hash blob primary key,
  kind text not null,
  account_id text references account (id) on delete cascade,
  email text not null,
  email_key text not null,
  session_id text,
  change_id text,
  confirmed_at integer,
  created_at integer not null,
  expires_at integer not null
) strict, without rowid;
create index mailed_link_account_id on mailed_link (account_id);
create index mailed_link_email_key on mailed_link (email_key, kind);
create index mailed_link_expires_at on mailed_link (expires_at);

create table attempts (
  key text primary key,
  count integer not null,
  window_ends_at integer not null
) strict, without rowid;
create index attempts_window_ends_at on attempts (window_ends_at);

create table activity (
  id text  primary key,
  account_id text not null references account (id) on delete cascade,
  kind text not null,
  at integer not null,
  label text not null,
  detail text not null
) strict;
create index activity_account_id on activity (account_id, id);
create index activity_at on activity (at);

create table known_device (
  account_id text not null references account (id) on delete cascade,
  device_hash blob not null,
  last_seen_at integer not null,
  primary key (account_id, device_hash)
) strict, without rowid;
create index known_device_last_seen_at on known_device (last_seen_at);
