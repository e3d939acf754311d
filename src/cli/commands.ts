import { accountCommands } from "./accounts.ts";
import { backupCommand } from "./backup.ts";
import type { Command } from "./command.ts";
import { doctorCommand } from "./doctor.ts";
import { importCommand } from "./import.ts";
import { restoreCommand } from "./restore.ts";
import { serve } from "./serve.ts";
import { sessionCommands } from "./sessions.ts";
import { migrateCommand, pruneCommand } from "./upkeep.ts";

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [
  serve,
  migrateCommand,
  ...accountCommands,
  ...sessionCommands,
  importCommand,
  pruneCommand,
  doctorCommand,
  backupCommand,
  restoreCommand,
];
