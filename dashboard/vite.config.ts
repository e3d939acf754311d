import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The server puts the real base path in where the page says `/__latchkey_base__/`. */
export default defineConfig({
  root: import.meta.dirname,
  base: "/__latchkey_base__/",
  plugins: [react()],
  // The pages alone: the cards that an app places run on the app's own React (decisions/0019).
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
    // The server names the chunks of each page in its HTML; Vite would ask for them below a base it doesn't know.
    modulePreload: false,
    target: "es2023",
  },
});
