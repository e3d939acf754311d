import { findPackageJSON } from "node:module";
import { pathToFileURL } from "node:url";

/** In the published package this code runs from one file for the command line, and from many for apps. */
const isBuilt = import.meta.url.endsWith(".js");
const manifest = pathToFileURL(findPackageJSON("..", import.meta.url) ?? "");

/** A file of the package, by its path from the package's own folder. */
export function packageFile(path: string): URL {
  return new URL(path, manifest);
}

/** A file or folder of Latchkey's own code, by its path in the sources. */
export function codeFile(path: string): URL {
  return packageFile(isBuilt ? `dist/${path.replace(/\.ts$/, ".js")}` : `src/${path}`);
}
