create table account (
  id text primary key,
  email text not null,
  email_key text not null unique,
  email_verified_at bigint,
  password_hash text,
  password_set_at bigint,
  password_used_at bigint,
  password_blocked_at bigint,
  credential_version bigint not null default 1,
  suspended_at bigint,
  created_at bigint not null
);

create table two_factor (
  account_id text primary key references account (id) on delete cascade,
  secret bytea not null,
  confirmed_at bigint,
  created_at bigint not null
);

create table used_step (
  account_id text not null references account (id) on delete cascade,
  step bigint not null,
  primary key (account_id, step)
);

create table recovery_code (
  account_id text not null references account (id) on delete cascade,
  code_hash bytea not null,
  primary key (account_id, code_hash)
);

create table session (
  token_hash bytea primary key,
  id text not null unique,
  account_id text not null references account (id),
  browser text,
  os text,
  label text not null,
  created_at bigint not null,
  expires_at bigint not null,
  last_used_at bigint not null,
  signed_in_with text not null,
  method_id text not null,
  proved_at bigint not null,
  place text,
  unique (account_id, place)
);
create index session_expires_at on session (expires_at);

create table ended_session (
  token_hash bytea primary key,
  session_id text not null,
  account_id text not null,
  reason text not null,
  by text,
  at bigint not null,
  until bigint not null
);
create index ended_session_session_id on ended_session (session_id);
create index ended_session_until on ended_session (until);

create table half_finished_sign_in (
  token_hash bytea primary key,
  account_id text not null references account (id) on delete cascade,
  credential_version bigint not null,
  signed_in_with text not null,
  method_id text not null,
  wrong_codes bigint not null default 0,
  expires_at bigint not null
);
create index half_finished_sign_in_account_id on half_finished_sign_in (account_id);
create index half_finished_sign_in_expires_at on half_finished_sign_in (expires_at);

create table mailed_link (
  token_hash bytea primary key,
  kind text not null,
  account_id text references account (id) on delete cascade,
  email text not null,
  email_key text not null,
  session_id text,
  change_id text,
  confirmed_at bigint,
  created_at bigint not null,
  expires_at bigint not null
);
create index mailed_link_account_id on mailed_link (account_id);
create index mailed_link_email_key on mailed_link (email_key, kind);
create index mailed_link_expires_at on mailed_link (expires_at);

create table attempts (
  key text primary key,
  count bigint not null,
  window_ends_at bigint not null
);
create index attempts_window_ends_at on attempts (window_ends_at);

create table activity (
  id text collate "C" primary key,
  account_id text not null references account (id) on delete cascade,
  kind text not null,
  at bigint not null,
  label text not null,
  detail text not null
);
create index activity_account_id on activity (account_id, id);
create index activity_at on activity (at);

create table known_device (
  account_id text not null references account (id) on delete cascade,
  device_hash bytea not null,
  last_seen_at bigint not null,
  primary key (account_id, device_hash)
);
create index known_device_last_seen_at on known_device (last_seen_at);
