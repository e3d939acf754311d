alter table account add column password_added_at integer;
alter table account add column password_added_by text;
alter table account add column password_added_from blob;
alter table account add column password_added_with text;
