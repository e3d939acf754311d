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

export default defineConfig({
  test: {
    globalSetup: ["tests/support/global-set-up.ts"],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    maxWorkers: 3,
    passWithNoTests: false,
    reporters: ["default", "./tests/support/promise-reporter.ts"],
    projects: [
      { extends: true, test: { name: "main", include: MAIN } },
      // `npm run test:full`: everything else, such as the packed package, proxies, long races and failover.
      { extends: true, test: { name: "rest", include: ALL, exclude: ["**/node_modules/**", ...MAIN] } },
    ],
  },
});
