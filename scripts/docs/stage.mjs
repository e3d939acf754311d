// Lays out in .site what VitePress builds: the pages that are in the package, with links that work there.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { slug } from "./vitepress/slug.mjs";

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const SITE = join(ROOT, ".site");

/**
 * Pages that the package leaves out are for people who work on Latchkey, since they link to files of the
 * repository.
 */
const { files: PACKED } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
/** Under names that differ from those in docs/ by more than case. */
const FROM_THE_TOP = { "CHANGELOG.md": "changelog.md", "SECURITY.md": "security-policy.md" };
/** They consist of one wide table. */
const WITHOUT_OUTLINE = ["settings.md"];
const ALL_WIDTH = "---\naside: false\n---\n";
const LANGUAGES = { cfg: "text", conf: "nginx", Caddyfile: "text", py: "python" };

export function stage() {
  rmSync(join(SITE, ".vitepress"), { recursive: true, force: true });
  rmSync(join(SITE, "pages"), { recursive: true, force: true });
  mkdirSync(join(SITE, "pages", "examples"), { recursive: true });
  cpSync(join(ROOT, "scripts", "docs", "vitepress"), join(SITE, ".vitepress"), { recursive: true });
  for (const name of readdirSync(join(ROOT, "docs"))) {
    const from = join(ROOT, "docs", name);
    if (PACKED.includes(`!docs/${name}`)) continue;
    if (name.endsWith(".md"))
      writePage(
        name,
        (WITHOUT_OUTLINE.includes(name) ? ALL_WIDTH : "") + onTheSite(readFileSync(from, "utf8")),
      );
    else cpSync(from, join(SITE, "pages", name));
  }
  for (const [name, page] of Object.entries(FROM_THE_TOP))
    writePage(page, onTheSite(readFileSync(join(ROOT, name), "utf8").replaceAll("](docs/", "](")));
  for (const name of examples()) writePage(join("examples", `${name}.md`), exampleAsPage(name));
}

function writePage(name, text) {
  writeFileSync(join(SITE, "pages", name), text);
}

/**
 * A file of an example becomes a section of that example's page; a document at the top level, a page beside
 * the others.
 */
function onTheSite(text) {
  return text
    .replace(/\]\(\.\.\/examples\/([\w-]+)\/?\)/g, "](examples/$1.md)")
    .replace(
      /\]\(\.\.\/examples\/([\w-]+)\/([^)#]+)\)/g,
      (_, name, file) => `](examples/${name}.md#${slug(file)})`,
    )
    .replace(/\]\(\.\.\/(\w+\.md)/g, (_, name) => `](${FROM_THE_TOP[name] ?? name}`);
}

function examples() {
  return readdirSync(join(ROOT, "examples"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

function exampleAsPage(name) {
  const folder = join(ROOT, "examples", name);
  const parts = filesIn(folder).map((file) => {
    const language = LANGUAGES[extname(file).slice(1)] ?? LANGUAGES[basename(file)] ?? extname(file).slice(1);
    return `## \`${file}\`\n\n\`\`\`\`${language}\n${readFileSync(join(folder, file), "utf8").trimEnd()}\n\`\`\`\`\n`;
  });
  return `# Example: ${name}\n\nThe files of \`examples/${name}\`, as they run in the tests.\n\n${parts.join("\n")}`;
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((file) => !/(^|\/)(node_modules|latchkey-data|build|dist|\.\w)/.test(file))
    .sort((one, other) => depth(one) - depth(other) || one.localeCompare(other));
}

function depth(file) {
  return file.split("/").length;
}
