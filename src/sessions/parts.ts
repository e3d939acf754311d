import type { Database } from "../database/database.ts";
import type { Settings } from "../options/options.ts";
import type { LastUsed } from "./last-used.ts";

/** What the session functions need; assembled in `latchkey.ts`. */
export type SessionParts = {
  readonly settings: Settings;
  readonly database: Database;
  readonly lastUsed: LastUsed;
};
