export default defineNuxtConfig({
  compatibilityDate: "2026-11-27",
  telemetry: false,
  // Latchkey reads files of its own package, so that it runs from node_modules, and isn't copied in part.
  nitro: { externals: { trace: false } },
});
