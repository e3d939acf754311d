create table passkey (
  id text primary key,
  account_id text not null references account (id) on delete cascade,
  credential_id text not null unique,
  public_key blob not null,
  counter integer not null,
  transports text not null,
  name text not null,
  created_at integer not null,
  last_used_at integer
) strict;
create index passkey_account_id on passkey (account_id);

create table oidc_identity (
  id text primary key,
  account_id text not null references account (id) on delete cascade,
  provider text not null,
  issuer text not null,
  subject text not null,
  created_at integer not null,
  last_used_at integer,
  unique (issuer, subject)
) strict;
create index oidc_identity_account_id on oidc_identity (account_id);

create table ceremony (
  key_hash blob primary key,
  kind text not null,
  browser_hash blob not null,
  account_id text references account (id) on delete cascade,
  data text not null,
  expires_at integer not null
) strict, without rowid;
create index ceremony_expires_at on ceremony (expires_at);
