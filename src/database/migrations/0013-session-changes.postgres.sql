create table session_change (
  xid xid8 not null default pg_current_xact_id(),
  ids text not null
);
create index session_change_xid on session_change (xid);

create table session_change_mark (
  oldest xid8 not null default pg_snapshot_xmin(pg_current_snapshot()),
  at timestamptz not null default statement_timestamp()
);
insert into session_change_mark default values;

do $do$ begin execute format($format$
create function note_session_change() returns trigger language plpgsql
security definer set search_path = %I, pg_temp as $$
begin
  if tg_op = 'TRUNCATE' then
    insert into session_change (ids) values ('*');
  elsif tg_argv[0] = 'id' then
    insert into session_change (ids)
      select case when count(*) > 1000 then '*' else string_agg(id, ' ') end
      from (select id from changed limit 1001) as named having count(*) > 0;
  else
    insert into session_change (ids)
      select case when count(*) > 1000 then '*' else string_agg(account_id, ' ') end
      from (select account_id from changed limit 1001) as named having count(*) > 0;
  end if;
  return null;
end $$
$format$, current_schema()); end $do$;

create trigger note_updated after update on session
  referencing old table as changed for each statement execute function note_session_change('id');
create trigger note_deleted after delete on session
  referencing old table as changed for each statement execute function note_session_change('id');
create trigger note_truncated after truncate on session
  for each statement execute function note_session_change();
create trigger note_updated after update on account
  referencing old table as changed for each statement execute function note_session_change('id');
create trigger note_deleted after delete on account
  referencing old table as changed for each statement execute function note_session_change('id');
create trigger note_truncated after truncate on account
  for each statement execute function note_session_change();
create trigger note_inserted after insert on two_factor
  referencing new table as changed for each statement execute function note_session_change('account_id');
create trigger note_updated after update on two_factor
  referencing old table as changed for each statement execute function note_session_change('account_id');
create trigger note_deleted after delete on two_factor
  referencing old table as changed for each statement execute function note_session_change('account_id');
create trigger note_truncated after truncate on two_factor
  for each statement execute function note_session_change();

alter table session enable always trigger note_updated, enable always trigger note_deleted,
  enable always trigger note_truncated;
alter table account enable always trigger note_updated, enable always trigger note_deleted,
  enable always trigger note_truncated;
alter table two_factor enable always trigger note_inserted, enable always trigger note_updated,
  enable always trigger note_deleted, enable always trigger note_truncated;
