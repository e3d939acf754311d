alter table session add column device_hash bytea;
alter table mailed_link add column device_hash bytea;
alter table passkey add column added_from bytea;
alter table passkey add column added_with text;
alter table oidc_identity add column added_from bytea;
alter table oidc_identity add column added_with text;
alter table account add column confirmed_elsewhere integer not null default 0;
update oidc_identity set issuer = rtrim(issuer, '/')
where issuer like '%/' and not exists (
  select 1 from oidc_identity as other
  where other.issuer = rtrim(oidc_identity.issuer, '/') and other.subject = oidc_identity.subject
);
