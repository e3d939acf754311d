import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..", "..");

/** What a page of the documentation has its reader type: the shell commands, and files by name. */
export type Recipe = { install: string[]; manifest: string[]; files: Record<string, string> };

/** A block after a sentence that begins, or ends, with a file's name in code is that file. */
const FILE = /^(?:.*\s)?`([\w./+[\]-]+\.(?:mjs|ts|tsx|svg|svelte))`(?:, [^\n]*)?:\n\n```\w+\n([\s\S]*?)```/gm;

export async function recipeOf(page: string): Promise<Recipe> {
  const text = await readFile(join(ROOT, page), "utf8");
  const install = /^npm install (.+?)(?: {2,}#.*)?$/m.exec(text)?.[1]?.split(" ") ?? [];
  const manifest = /^npm pkg (.+)$/m.exec(text)?.[1]?.split(" ") ?? [];
  const files = [...text.matchAll(FILE)].map(([, name = "", content = ""]) => [name, content]);
  return { install, manifest, files: Object.fromEntries(files) };
}

/** Writes the recipe's files to a folder, with another port than the page's. */
export async function writeFiles(files: Record<string, string>, folder: string, port: number): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(folder, dirname(name)), { recursive: true });
    await writeFile(join(folder, name), content.replaceAll("3000", String(port)));
  }
}

/** What the page has its reader install, with the package as it was packed. */
export function withPacked({ install }: Recipe, file: string): string[] {
  return install.map((one) => (one.endsWith(".tgz") ? file : one));
}
