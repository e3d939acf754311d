import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/**
 * The server puts the real base path in where the page says `/__latchkey_base__/`. The pages run on Preact,
 * which does here what React does at a third of the size (decisions/0018); an app's own React runs the cards.
 */
export default defineConfig({
  root: import.meta.dirname,
  base: "/__latchkey_base__/",
  plugins: [react()],
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
    modulePreload: { polyfill: false },
    target: "es2023",
  },
});
