import { defineConfig } from "vite";

/** Builds one file that contains everything, including the styles. */
export default defineConfig({
  build: {
    lib: { entry: "src/elements/index.ts", formats: ["es"], fileName: "index" },
    outDir: "dist/elements",
    emptyOutDir: false,
    minify: true,
    target: "es2023",
  },
});
