import { existsSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { pathToFileURL } from "node:url";

/** Undefined in the CommonJS that some bundlers make. */
const here: string | undefined = import.meta.url;
/** In the published package this code runs from one file for the command line, and from many for apps. */
const isBuilt = here?.endsWith(".js");
const manifest = pathToFileURL((here && findPackageJSON("..", here)) ?? "");

/** A file of the package, by its path from the package's own folder. */
export function packageFile(path: string): URL {
  return new URL(path, manifest);
}

/** A file or folder of Latchkey's own code, by its path in the sources. */
export function codeFile(path: string): URL {
  return packageFile(isBuilt ? `dist/${path.replace(/\.ts$/, ".js")}` : `src/${path}`);
}

/** @throws where this code isn't in its package any more: a bundler has taken it out, or copied it without the rest. */
export function requireOwnFiles(): void {
  if (existsSync(codeFile("database/migrations/"))) return;
  throw new Error(
    'Latchkey\'s own files are missing: a bundler has put its code elsewhere. Keep the package "latchkey" out of the bundle (esbuild: --external:latchkey; Next.js: serverExternalPackages), and deploy the whole folder node_modules/latchkey.',
  );
}
