create index account_foreign_password on account ((password_hash collate "C")) where password_hash like 'foreign:%';
