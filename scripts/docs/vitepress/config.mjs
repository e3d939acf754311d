import { defineConfig } from "vitepress";
import { labelCells } from "./label-cells.mjs";
import { slug } from "./slug.mjs";

const pages = (...rows) => rows.map(([text, link]) => ({ text, link: `/${link}` }));

export default defineConfig({
  // A picture is a file, however small, so that the pages do with img-src 'self'.
  vite: { build: { assetsInlineLimit: 0 } },
  srcDir: "pages",
  outDir: "built",
  cacheDir: ".cache",
  title: "Latchkey",
  description: "Self-hosted sign-in and login management for web apps",
  lang: "en",
  // Examples on the reader's own machine; every other link must lead somewhere.
  ignoreDeadLinks: "localhostLinks",
  markdown: {
    anchor: { slugify: slug },
    languageAlias: { caddy: "nginx" },
    config: labelCells,
    theme: { light: "github-light-high-contrast", dark: "github-dark" },
  },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    nav: pages(
      ["Tutorial", "tutorial"],
      ["Settings", "settings"],
      ["HTTP API", "http-api"],
      ["Changelog", "changelog"],
    ),
    sidebar: [
      {
        text: "Start",
        items: pages(["Overview", ""], ["Tutorial", "tutorial"], ["Comparison", "comparison"]),
      },
      {
        text: "How to",
        items: pages(
          ["In front of any app", "forward-auth"],
          ["Express", "express"],
          ["Hono", "hono"],
          ["Fastify", "fastify"],
          ["Next.js", "next"],
          ["SvelteKit", "sveltekit"],
          ["Any framework", "frameworks"],
          ["What it takes", "what-it-takes"],
          ["Ways to log in", "login-methods"],
          ["Your brand", "brand"],
          ["Moving in", "moving-in"],
        ),
      },
      {
        text: "Reference",
        items: pages(
          ["Settings", "settings"],
          ["Command line", "command-line"],
          ["HTTP API", "http-api"],
          ["In code", "in-code"],
          ["Cards and client", "client"],
          ["Client and cards in full", "browser-reference"],
        ),
      },
      {
        text: "Explanation",
        items: pages(
          ["Why it works this way", "why"],
          ["Security", "security"],
          ["Keys, data and rules", "keys-and-data"],
          ["Device binding", "device-binding"],
          ["Performance", "performance"],
        ),
      },
      {
        text: "Running it",
        items: pages(
          ["Install", "install"],
          ["Operations", "operations"],
          ["Upgrading", "upgrading"],
          ["Scaling", "scaling"],
          ["Changelog", "changelog"],
          ["Reporting a vulnerability", "security-policy"],
        ),
      },
    ],
  },
});
