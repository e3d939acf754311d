alter table account add column password_added_at bigint;
alter table account add column password_added_by text;
alter table account add column password_added_from bytea;
alter table account add column password_added_with text;
