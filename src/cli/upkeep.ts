import type { Command } from "commander";
import { migrationsOf } from "../database/migrations.ts";
import { prune } from "../sessions/prune.ts";
import { type JsonFlag, many, printResult } from "./terminal.ts";
import { withLatchkey } from "./with-latchkey.ts";

export function addMigrate(program: Command): void {
  program
    .command("migrate")
    .description("Brings the database schema up to date; serve does the same by itself.")
    .action((flags: JsonFlag) =>
      withLatchkey(
        async ({ database }) => {
          // Opening tolerates a PostgreSQL that doesn't answer; this query fails if it still doesn't.
          await database.read.selectFrom("account").select("id").limit(1).execute();
          const version = migrationsOf(database.engine).at(-1)?.version ?? 0;
          printResult(flags, { version }, `The schema is up to date (version ${version}).`);
        },
        { creates: true },
      ),
    );
}

export function addPrune(program: Command): void {
  program
    .command("prune")
    .description("Deletes what has expired; a server does so every hour.")
    .action((flags: JsonFlag) =>
      withLatchkey(async (parts) => {
        const pruned = await prune(parts, parts.settings.now());
        const sessions = many(pruned.sessions, "expired session");
        const words = `Pruned ${sessions} and ${many(pruned.rows, "other row")}.`;
        printResult(flags, pruned, words);
      }),
    );
}
