import { defineConfig } from "vitest/config";

// Only on the embedded engine, since a rule is written once for both.
process.env.ENGINES = "sqlite";

/** How `npm run mutation` runs the tests: as `main` does, but in one thread that loads the sources once. */
export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "tests/{contract,limits,login-methods}/**/*.test.ts"],
    globalSetup: ["tests/mutation/no-set-up.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    isolate: false,
  },
});
