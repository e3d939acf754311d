import { defineConfig } from "vitest/config";

const ALL = ["src/**/*.test.ts", "tests/**/*.test.ts", "dashboard/**/*.test.ts"];

/** What `npm test` runs: units, the contract on both engines, the main walks in a real browser. */
const MAIN = [
  "src/**/*.test.ts",
  "dashboard/**/*.test.ts",
  "tests/*.test.ts",
  "tests/contract/**/*.test.ts",
  "tests/browser/log-in.test.ts",
  "tests/browser/two-browsers.test.ts",
];

/** Named by each project: what stands above them and is inherited too would run twice. */
const globalSetup = ["tests/support/runs/global-set-up.ts"];

export default defineConfig({
  test: {
    testTimeout: 120_000,
    hookTimeout: 180_000,
    // What comes by itself comes late on a busy machine; a test of how soon it comes says so itself.
    expect: { poll: { timeout: 30_000 } },
    maxWorkers: 3,
    passWithNoTests: false,
    reporters: ["default", "./tests/support/runs/promise-reporter.ts"],
    projects: [
      // Files share their processes: to read the server, the schemas and PostgreSQL's driver anew for each takes 1.5 s.
      { extends: true, test: { name: "main", include: MAIN, isolate: false, globalSetup } },
      // `npm run test:full`: everything else, such as the packed package, proxies, long races and failover.
      {
        extends: true,
        test: { name: "rest", include: ALL, exclude: ["**/node_modules/**", ...MAIN], globalSetup },
      },
    ],
  },
});
