/** How `npm run mutation` breaks the code; which code, and which tests are to notice, is in tests/mutation/rules.json. */
export default {
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner"],
  vitest: { configFile: "tests/mutation/vitest.config.ts", related: false },
  coverageAnalysis: "perTest",
  ignoreStatic: true,
  // An empty string where a column, a table, a reason or a code is meant doesn't compile, or no query runs with it.
  mutator: { excludedMutations: ["StringLiteral"] },
  // What tests read of the repository is copied; examples and measurements aren't.
  ignorePatterns: ["/examples", "/bench", "/.site", "/reports"],
  // Not below node_modules: Node strips no types there, and the password workers are started from their sources.
  tempDirName: ".stryker-tmp",
  // Rewriting it for the copy needs the compiler's JavaScript interface, which TypeScript 7 no longer has.
  tsconfigFile: "none",
  disableTypeChecks: false,
  timeoutMS: 30_000,
  dryRunTimeoutMinutes: 30,
  reporters: ["progress-append-only", "clear-text", "json"],
  clearTextReporter: { logTests: false, reportTests: false },
  jsonReporter: { fileName: process.env.LATCHKEY_MUTATION_REPORT ?? "reports/mutation/mutation.json" },
};
