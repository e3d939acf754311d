create index account_foreign_password on account (password_hash) where password_hash like 'foreign:%';
