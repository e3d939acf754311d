import { existsSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { pathToFileURL } from "node:url";

/** Undefined in the CommonJS output of some bundlers. */
const here: string | undefined = import.meta.url;
/** Whether this is the published package: one file for the command line, many files for apps. */
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

/**
 * @throws if a bundler has moved this code out of its package, or copied it without the package's other
 * files.
 */
export function requireOwnFiles(): void {
  if (existsSync(codeFile("database/migrations/"))) return;
  throw new Error(
    'Latchkey\'s own files are missing: a bundler has put its code elsewhere. Keep the package "latchkey" out of the bundle (esbuild: --external:latchkey; Next.js: serverExternalPackages), and deploy the whole folder node_modules/latchkey.',
  );
}
