import type { Database } from "../database/database.ts";
import type { Settings } from "../options/options.ts";
import type { LastUsed } from "./last-used.ts";

/** What the rules of sessions work with; joined in one place, `latchkey.ts`. */
export type SessionParts = {
  readonly settings: Settings;
  readonly database: Database;
  readonly lastUsed: LastUsed;
};
