// The house rules that no other tool checks. Prints each violation, and exits with 1.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const LONGEST_FILE = 250; // lines
const MOST_OF_FOLDER = 15; // source files in one folder
const TEST_SWITCH = /\b(NODE_ENV|VITEST\w*|JEST_WORKER_ID|import\.meta\.(?:vitest|env\.(?:MODE|DEV|PROD)))\b/;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = ["bench", "bin", "dashboard", "scripts", "src", "tests"].flatMap(sourcesIn);
const shipped = sources.filter((file) => /^(bin|dashboard|src)\//.test(file));

const breaches = [
  ...sources.flatMap(tooLong),
  ...tooFull(),
  ...shipped.flatMap(testSwitches),
  ...roomsWithoutRule(),
  ...lockFile("package.json", "package-lock.json"),
  ...lockFile("bench/peers/package.json", "bench/peers/package-lock.json"),
];
for (const breach of breaches) console.log(breach);
if (breaches.length > 0) process.exit(1);
console.log(`${sources.length} files and the lock files follow the house rules.`);

function tooLong(file) {
  const { length } = linesOf(file);
  if (length <= LONGEST_FILE) return [];
  return [
    `${file}:${length} has ${length} lines; a source file has at most ${LONGEST_FILE}. Find its second noun.`,
  ];
}

/** Anyone who opens a folder must be able to take in what is there. */
function tooFull() {
  const folders = Map.groupBy(
    sources.filter((file) => /^(dashboard|src)\//.test(file)),
    (file) => dirname(file),
  );
  return [...folders]
    .filter(([, files]) => files.length > MOST_OF_FOLDER)
    .map(
      ([folder, files]) =>
        `${folder} has ${files.length} source files; a folder has at most ${MOST_OF_FOLDER}. Give some a folder of their own.`,
    );
}

/**
 * What a test needs to be different, it passes as an option: code that asks whether it is under test isn't
 * tested.
 */
function testSwitches(file) {
  return linesOf(file).flatMap((line, index) => {
    const found = TEST_SWITCH.exec(line);
    if (found === null) return [];
    return [
      `${file}:${index + 1} asks for ${found[1]}: code behaves the same under test. Make it an option.`,
    ];
  });
}

/**
 * Biome enforces what each folder of `src` may import, but knows nothing of a folder that isn't named there.
 */
function roomsWithoutRule() {
  const { overrides } = JSON.parse(read("biome-rooms.json"));
  const named = new Set(overrides.flatMap(({ includes }) => includes));
  return readdirSync(join(root, "src"), { withFileTypes: true })
    .filter((entry) => entry.name !== "index.ts")
    .map((entry) => `src/${entry.name}${entry.isDirectory() ? "/**" : ""}`)
    .filter((room) => !named.has(room))
    .map((room) => `${room} has no rule for what it may import: give it one in biome-rooms.json.`);
}

/** A lock file names versions and hashes, never a host: it must work behind any mirror of the registry. */
function lockFile(manifestFile, file) {
  const lock = JSON.parse(read(file));
  const manifest = JSON.parse(read(manifestFile));
  const withHost = Object.entries(lock.packages)
    .filter(([, entry]) => entry.resolved !== undefined)
    .map(([path, entry]) => `${file}: ${path} is fetched from ${entry.resolved}; remove "resolved".`);
  const outOfStep = ["dependencies", "devDependencies"]
    .filter((kind) => JSON.stringify(manifest[kind]) !== JSON.stringify(lock.packages[""][kind]))
    .map((kind) => `${file}: its ${kind} aren't those of ${manifestFile}. Run \`npm install\`.`);
  return [...withHost, ...outOfStep];
}

function sourcesIn(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(
      (entry) => entry.isFile() && /\.(ts|tsx|js|mjs)$/.test(entry.name) && !/\.test\.tsx?$/.test(entry.name),
    )
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .replaceAll("\\", "/"),
    )
    .filter((file) => !file.includes("node_modules/"))
    .sort();
}

function linesOf(file) {
  return read(file).trimEnd().split("\n");
}

function read(file) {
  return readFileSync(join(root, file), "utf8");
}
