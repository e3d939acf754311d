import { join } from "node:path";

export const NODE = process.execPath;
const NEXT = join("node_modules", "next", "dist", "bin", "next");

/**
 * `stopped` is the exit code after SIGTERM; `without` a line that is removed from the app's settings;
 * `instead` what is installed in place of the versions in its package.json.
 */
export type Example = {
  name: string;
  title: string;
  command: string[];
  ready: RegExp;
  stopped: number;
  build?: string[];
  without?: { file: string; line: string };
  instead?: string[];
};

const NEXT_APP = {
  name: "next",
  command: [NODE, NEXT, "start"],
  ready: /Ready in/,
  stopped: 143,
  build: ["run", "build"],
};

const SVELTEKIT_APP = {
  name: "sveltekit",
  command: [NODE, "build"],
  ready: /Listening on/,
  stopped: 0,
  build: ["run", "build"],
};

export const EXAMPLES: Example[] = [
  ...["express", "hono", "fastify"].map((name) => ({
    name,
    title: name,
    command: [NODE, "server.js"],
    ready: /Your notes are at/,
    stopped: 0,
  })),
  { ...NEXT_APP, title: "next with cacheComponents" },
  {
    ...NEXT_APP,
    title: "next without cacheComponents",
    without: { file: "next.config.js", line: "  cacheComponents: true,\n" },
  },
  {
    name: "nestjs",
    title: "nestjs",
    command: [NODE, join("build", "main.js")],
    ready: /Your notes are at/,
    stopped: 0,
    build: ["run", "build"],
  },
  {
    name: "react-router",
    title: "react-router",
    command: [
      NODE,
      join("node_modules", "@react-router", "serve", "bin.cjs"),
      join("build", "server", "index.js"),
    ],
    ready: /react-router-serve\] http/,
    stopped: 0,
    build: ["run", "build"],
  },
  {
    name: "nuxt",
    title: "nuxt",
    command: [NODE, join(".output", "server", "index.mjs")],
    ready: /Listening on/,
    stopped: 0,
    build: ["run", "build"],
  },
  {
    name: "astro",
    title: "astro",
    command: [NODE, join("dist", "server", "entry.mjs")],
    ready: /Server listening on/,
    stopped: 0,
    build: ["run", "build"],
  },
  { ...SVELTEKIT_APP, title: "sveltekit" },
  {
    ...SVELTEKIT_APP,
    title: "sveltekit 2",
    instead: ["@sveltejs/kit@^2.63.0", "@sveltejs/adapter-node@^5.0.0"],
    without: { file: "vite.config.js", line: ", paths: { origin }" },
  },
];
