import type { TestProject } from "vitest/node";

/** Nothing is built where the sources are changed on purpose, and no PostgreSQL is started. */
export default function setUp(project: TestProject): void {
  project.provide("postgresUrl", null);
}
