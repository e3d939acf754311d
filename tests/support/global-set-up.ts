import type { TestProject } from "vitest/node";
import { engineNames } from "./engine-names.ts";
import { startPostgres } from "./postgres.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Null where `ENGINES` leaves PostgreSQL out. */
    postgresUrl: string | null;
  }
}

/** Starts what all tests share: one real PostgreSQL, unless this run is narrowed to the embedded engine. */
export default async function setUp(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (!engineNames().includes("postgres")) {
    project.provide("postgresUrl", null);
    return undefined;
  }
  const postgres = await startPostgres();
  project.provide("postgresUrl", postgres.url);
  return () => postgres.stop();
}
