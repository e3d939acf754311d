alter table mailed_link add column never_proved integer not null default 0;
alter table passkey add column added_by text;
alter table oidc_identity add column added_by text;
