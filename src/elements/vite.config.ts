import { defineConfig } from "vite";

/** One file with all that it needs, its look too. */
export default defineConfig({
  build: {
    lib: { entry: "src/elements/index.ts", formats: ["es"], fileName: "index" },
    outDir: "dist/elements",
    emptyOutDir: false,
    minify: true,
    target: "es2023",
  },
});
