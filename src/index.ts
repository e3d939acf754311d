export { DatabaseUnavailable, DatabaseUnusable } from "./database/database.ts";
export type { AccountAnswer as Account, SessionAnswer as Session } from "./http/answers.ts";
export type { Latchkey } from "./latchkey.ts";
export { createLatchkey } from "./latchkey.ts";
export { SettingError } from "./option-readers.ts";
export type { LatchkeyOptions } from "./options.ts";
