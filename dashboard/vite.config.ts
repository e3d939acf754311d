import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The server puts the real base path in where the page says `/__latchkey_base__/`. */
export default defineConfig({
  root: import.meta.dirname,
  base: "/__latchkey_base__/",
  plugins: [react()],
  build: {
    outDir: "../dist/dashboard",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    manifest: "manifest.json",
    modulePreload: { polyfill: false },
    target: "es2023",
  },
});
