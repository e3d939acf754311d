alter table session add column both_proved_at bigint;
