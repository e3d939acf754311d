alter table mailed_link add column never_proved integer not null default 0;
