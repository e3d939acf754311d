create table outgoing_email (
  id text primary key,
  sealed bytea not null,
  created_at bigint not null,
  tries integer not null,
  next_try_at bigint not null,
  expires_at bigint not null,
  failure text
);
create index outgoing_email_next_try_at on outgoing_email (next_try_at);
create index outgoing_email_expires_at on outgoing_email (expires_at);
