export type { Account, Authentication, Session, SignedIn, SignedOut } from "./answers.ts";
export { createLatchkey } from "./create-latchkey.ts";
export { DatabaseUnavailable, DatabaseUnusable } from "./database/database.ts";
export type { NodeRequestHead, RequestHead } from "./http/request/request-head.ts";
export type { Latchkey } from "./latchkey.ts";
export type { LatchkeyOptions } from "./options/options.ts";
export { SettingError } from "./options/options.ts";
export type { SessionEnded } from "./sessions/live/ended-events.ts";
