import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The server replaces `/__latchkey_base__/` with the real base path. */
export default defineConfig({
  root: import.meta.dirname,
  base: "/__latchkey_base__/",
  plugins: [react()],
  // For Latchkey's own pages only: cards in an app use the app's React (decisions/0019).
  resolve: {
    alias: {
      "react-dom/client": "preact/compat/client",
      "react-dom": "preact/compat",
      "react/jsx-runtime": "preact/jsx-runtime",
      react: "preact/compat",
    },
  },
  build: {
    outDir: "../dist/dashboard",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    manifest: "manifest.json",
    // The server lists each page's chunks in its HTML; Vite doesn't know the base path to preload them from.
    modulePreload: false,
    target: "es2023",
  },
});
