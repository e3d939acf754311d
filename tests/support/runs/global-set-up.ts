import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { engineNames } from "../databases/engine-names.ts";
import { startPostgres } from "../databases/postgres.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Null if `ENGINES` leaves PostgreSQL out. */
    postgresUrl: string | null;
  }
}

const SET_UP = join(import.meta.dirname, "..", "..", "..", "scripts", "set-up.mjs");

/**
 * Starts what all tests share: one real PostgreSQL, unless this run is narrowed to the embedded engine. The
 * command line and the dashboard are tested as built, so they are built again if the sources are newer.
 */
export default async function setUp(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  execFileSync(process.execPath, [SET_UP], { stdio: "inherit" });
  if (!engineNames().includes("postgres")) {
    console.warn("SKIPPED: whatever needs PostgreSQL, since ENGINES leaves it out.");
    project.provide("postgresUrl", null);
    return undefined;
  }
  const postgres = await startPostgres();
  project.provide("postgresUrl", postgres.url);
  return () => postgres.stop();
}
