import type { TestProject } from "vitest/node";

/** When the sources are changed on purpose, nothing is built and no PostgreSQL is started. */
export default function setUp(project: TestProject): void {
  project.provide("postgresUrl", null);
}
