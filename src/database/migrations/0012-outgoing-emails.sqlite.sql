create table outgoing_email (
  id text primary key,
  sealed blob not null,
  created_at integer not null,
  tries integer not null,
  next_try_at integer not null,
  expires_at integer not null,
  failure text
) strict;
create index outgoing_email_next_try_at on outgoing_email (next_try_at);
create index outgoing_email_expires_at on outgoing_email (expires_at);
