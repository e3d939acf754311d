import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "tests/**/*.test.ts", "dashboard/**/*.test.ts"],
    globalSetup: ["tests/support/global-set-up.ts"],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    maxWorkers: 3,
    passWithNoTests: false,
  },
});
