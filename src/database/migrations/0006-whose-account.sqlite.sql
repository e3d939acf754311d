alter table account add column owner_since integer;
alter table account add column created_label text not null default 'Unknown device';
update account set owner_since = case
  when email_verified_at is null then null
  when email_verified_at <= created_at then 0
  else email_verified_at end;
update account set created_label = coalesce(
  (select label from activity where activity.account_id = account.id and kind = 'account_created' limit 1),
  created_label);
alter table two_factor add column accepted_at integer;
update two_factor set accepted_at = (
  select email_verified_at from account where account.id = two_factor.account_id and confirmed_elsewhere = 0);
alter table account drop column confirmed_elsewhere;
delete from mailed_link where never_proved = 1;
delete from mailed_link where kind = 'not_me' and exists (
  select 1 from account where account.id = mailed_link.account_id
    and account.email_verified_at is null and account.email_key <> mailed_link.email_key);
alter table mailed_link drop column never_proved;
alter table mailed_link add column label text;
