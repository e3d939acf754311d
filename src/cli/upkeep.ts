import { migrationsOf } from "../database/migrations.ts";
import { prune } from "../sessions/prune.ts";
import type { Command } from "./command.ts";
import { withLatchkey } from "./with-latchkey.ts";

const json = { json: { type: "boolean" } } as const;
const jsonHelp = { json: "Prints JSON." };

export const migrateCommand: Command = {
  name: "migrate",
  usage: "",
  summary: "Brings the database's schema up to date; serve does the same by itself.",
  flags: json,
  flagHelp: jsonHelp,
  takes: 0,
  run: (run) =>
    withLatchkey(run, async ({ parts }) => {
      // A PostgreSQL that didn't answer at the opening is asked now.
      await parts.database.read.selectFrom("account").select("id").limit(1).execute();
      const version = migrationsOf(parts.database.engine).at(-1)?.version ?? 0;
      run.print(
        run.flags.json ? JSON.stringify({ version }) : `The schema is up to date (version ${version}).`,
      );
      return 0;
    }),
};

export const pruneCommand: Command = {
  name: "prune",
  usage: "",
  summary: "Deletes what is over now; a server does it every hour.",
  flags: json,
  flagHelp: jsonHelp,
  takes: 0,
  run: (run) =>
    withLatchkey(run, async ({ parts }) => {
      const pruned = await prune(parts, parts.settings.now());
      const words = `Pruned ${pruned.sessions} expired sessions and ${pruned.rows} other rows.`;
      run.print(run.flags.json ? JSON.stringify(pruned) : words);
      return 0;
    }),
};
