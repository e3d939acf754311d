create table passkey (
  id text primary key,
  account_id text not null references account (id) on delete cascade,
  credential_id text not null unique,
  public_key bytea not null,
  counter bigint not null,
  transports text not null,
  name text not null,
  created_at bigint not null,
  last_used_at bigint
);
create index passkey_account_id on passkey (account_id);

create table oidc_identity (
  id text primary key,
  account_id text not null references account (id) on delete cascade,
  provider text not null,
  issuer text not null,
  subject text not null,
  created_at bigint not null,
  last_used_at bigint,
  unique (issuer, subject)
);
create index oidc_identity_account_id on oidc_identity (account_id);

create table ceremony (
  key_hash bytea primary key,
  kind text not null,
  browser_hash bytea not null,
  account_id text references account (id) on delete cascade,
  data text not null,
  expires_at bigint not null
);
create index ceremony_expires_at on ceremony (expires_at);
