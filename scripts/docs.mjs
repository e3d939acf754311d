// `npm run docs`: the pages of docs/ as a site, in .site/built. `npm run docs -- dev` serves them instead, and
// follows changes; `npm run docs -- reference` regenerates the pages that are made from the code, and
// `npm run docs -- check` exits with 1 if one of those is out of date.
import { watch } from "node:fs";
import { join } from "node:path";
import { build, createServer } from "vitepress";
import { outdatedReference, writeReference } from "./docs/reference.mjs";
import { ROOT, SITE, stage } from "./docs/stage.mjs";

const [task = "build"] = process.argv.slice(2);
if (task === "reference") await writeReference();
else if (task === "check") await check();
else if (task === "dev") await serve();
else {
  stage();
  await build(SITE);
}

async function check() {
  const outdated = await outdatedReference();
  for (const name of outdated) console.log(`docs/${name} is outdated: npm run docs -- reference`);
  if (outdated.length > 0) process.exitCode = 1;
}

async function serve() {
  stage();
  watch(join(ROOT, "docs"), () => stage());
  const server = await createServer(SITE);
  await server.listen();
  server.printUrls();
}
