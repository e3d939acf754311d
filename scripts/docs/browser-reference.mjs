// Makes docs/browser-reference.md: the client, the React components and hooks, the element, and the CSS variables,
// from the declarations that the compiler makes, the element's doc comment, and the style sheet.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { END_REASONS, LOGIN_METHOD_KINDS, OTHER_REASONS, SECOND_FACTORS } from "../../src/answers.ts";
import { openApiDocument } from "../../src/http/api/document.ts";
import { api } from "../../src/http/routes.ts";
import { clientCalls } from "./client-calls.mjs";
import { declarationsIn, exportsOf, membersOf, oneLine } from "./declarations.mjs";
import { code, fenced, table } from "./markdown.mjs";
import { EVERYWHERE, refusalsOf } from "./refusals.mjs";
import { ROOT } from "./stage.mjs";
import { slug } from "./vitepress/slug.mjs";

export async function browserReference(mark) {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-declarations-"));
  try {
    const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
    const words = [
      "-p",
      join(ROOT, "tsconfig.build-browser.json"),
      "--emitDeclarationOnly",
      "--outDir",
      folder,
    ];
    execFileSync(process.execPath, [tsc, ...words], { cwd: ROOT });
    return [
      `# Client, cards and element: the reference\n\n${mark}`,
      "[The cards and the client](client.md) says how to use them.",
      ...(await clientPart(folder)),
      ...reactPart(folder),
      ...elementPart(),
      ...variablesPart(),
    ]
      .join("\n\n")
      .concat("\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function clientPart(folder) {
  const found = declarationsIn(
    folder,
    "client/client",
    "client/refused",
    "client/times",
    "client/send",
    "answers",
  );
  const { createClient } = found;
  const members = membersOf(createClient.returns);
  const calls = await clientCalls(members);
  const names = exportsOf(folder, "client/index");
  const functions = names.filter((name) => found[name]?.kind === "function" && name !== "createClient");
  const types = names.filter((name) => ["type", "class"].includes(found[found.aliases[name] ?? name]?.kind));
  return [
    "## `latchkey/client`",
    createClient.comment,
    table(
      ["option", "type", "what it is"],
      membersOf(found.ClientOptions.type).map(({ name, type, comment }) => [code(name), code(type), comment]),
    ),
    "Refusals that [any call of the API](http-api.md) can get are left out below, and so is `signed_out` (401), which any call that needs a session can get.",
    "## Methods of the client",
    ...members.map((member) => methodSection(member, calls[member.name])),
    "## Functions of the client",
    table(
      ["function", "returns", "what it is"],
      functions.map((name) => [
        code(name + found[name].takes),
        code(found[name].returnsText),
        found[name].comment,
      ]),
    ),
    "## Types of the client",
    fenced(
      types
        .map((name) => inFull(found[found.aliases[name] ?? name].text))
        .join("\n\n")
        // The one private type that a public one contains.
        .replace(/\bFacts\b/g, found.Facts.text.replace(/^type Facts = ([\s\S]*);$/, "$1")),
    ),
  ].map((part) => part.replace(/\bSignedOut\b/g, "Ending"));
}

/** With private lists of values written out. */
function inFull(text) {
  return text
    .replace(/\bLoginMethodKind\b/g, "(typeof LOGIN_METHOD_KINDS)[number]")
    .replace(/\(typeof (\w+)\)\[number\](\[\])?/g, (_, name, many = "") => {
      const either = LISTS[name].map((value) => `"${value}"`).join(" | ");
      return many ? `(${either})${many}` : either;
    });
}

const LISTS = { END_REASONS, LOGIN_METHOD_KINDS, OTHER_REASONS, SECOND_FACTORS };
const { paths } = openApiDocument(api, { signUp: "open", sessionCookie: "latchkey" });

function methodSection({ name, comment, takes, gives, type }, call) {
  const rows =
    takes === undefined
      ? [["Is", orNothing(type)]]
      : [
          ["Takes", orNothing(takes)],
          ["Returns", orNothing(gives)],
        ];
  if (call) {
    const [method, path] = call.split(" ");
    const template = Object.keys(paths).find((one) =>
      new RegExp(`^${one.replace(/\{\w+\}/g, "[^/]+")}$`).test(path),
    );
    const heading = `${method} ${template}`;
    rows.push(["Calls", `[\`${heading}\`](http-api.md#${slug(heading)})`]);
    const refusals = refusalsOf(paths[template][method.toLowerCase()].responses, [
      ...EVERYWHERE,
      "signed_out",
    ]);
    if (refusals.length > 0)
      rows.push([
        "Can be refused with",
        refusals.map(([status, codes]) => `${codes} (${status})`).join(", "),
      ]);
  }
  return `### \`client.${name}\`\n\n${comment}\n\n${rows.map(([what, words]) => `- ${what}: ${words}`).join("\n")}`;
}

function orNothing(text) {
  return text === "nothing" ? text : code(text).replaceAll("\\|", "|");
}

function reactPart(folder) {
  const files = [
    "provider",
    "queries",
    "account/delete-account-card",
    "account/email-card",
    "account/login-methods-card",
  ];
  const more = ["account/password-card", "account/recent-activity", "login-management/login-management"];
  const all = [...files, ...more, "two-factor/two-factor-card", "parts/card"].map((file) => `react/${file}`);
  const found = declarationsIn(folder, ...all);
  const names = exportsOf(folder, "react/index").filter((name) => found[name]?.kind === "function");
  const [hooks, components] = [
    names.filter((name) => name.startsWith("use")),
    names.filter((name) => !name.startsWith("use")),
  ];
  const props = [...membersOf(found.LatchkeySettings.type), ...membersOf(found.ProviderProps.type)];
  return [
    "## `latchkey/react`",
    "### `<LatchkeyProvider>`",
    found.LatchkeyProvider.comment,
    table(
      ["prop", "type", "what it is"],
      props.map(({ name, type, isOptional, comment }) => [
        code(name),
        code(type),
        comment + (isOptional ? "" : " Required."),
      ]),
    ),
    "### Cards",
    "Each is a React component for use inside `<LatchkeyProvider>`.",
    table(
      ["card", "props", "what it is"],
      components
        .filter((name) => name !== "LatchkeyProvider")
        .map((name) => [
          code(`<${name}>`),
          found[name].propsText
            ? code(found[name].propsText.replaceAll("Answer", inWhole(found.Answer)))
            : "none",
          found[name].comment,
        ]),
    ),
    "### Hooks",
    "They work inside `<LatchkeyProvider>`, and throw outside it.",
    table(
      ["hook", "returns", "what it is"],
      hooks.map((name) => [
        code(`${name}${found[name].takes}`),
        code(found[name].returnsText),
        found[name].comment,
      ]),
    ),
  ];
}

function inWhole({ type }) {
  return `{ ${membersOf(type)
    .map(({ name, type: of }) => `${name}: ${of}`)
    .join("; ")} }`;
}

/**
 * @throws if the element reads an attribute or fires an event that its comment doesn't name, or the reverse.
 */
function elementPart() {
  const source = readFileSync(join(ROOT, "src", "elements", "login-management.ts"), "utf8");
  const [, comment = ""] = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport class/.exec(source) ?? [];
  const lines = oneLine(comment.replace(/^ *\*/gm, ""));
  const tagged = (tag) =>
    [...lines.matchAll(new RegExp(`@${tag} ([\\w-]+) - ((?:(?! @).)*)`, "g"))].map(([, name, words]) => [
      code(name),
      words.trim(),
    ]);
  const used = (call) => [...source.matchAll(call)].map(([, name]) => code(name));
  const parts = [
    ["attribute", tagged("attr"), used(/getAttribute\("([\w-]+)"\)/g)],
    ["event", tagged("fires"), used(/new CustomEvent\("([\w-]+)"/g)],
  ];
  for (const [what, rows, names] of parts) {
    if (rows.map(([name]) => name).join() !== names.join())
      throw new Error(`Name each ${what} of the element in its comment: ${names}`);
  }
  return [
    "## `<login-management>`",
    lines.split(" @")[0].trim(),
    ...parts.map(([what, rows]) => table([what, "what it is"], rows)),
  ];
}

/** @throws if a variable has no comment that says what it is for. */
function variablesPart() {
  const sheet = readFileSync(join(ROOT, "src", "react", "latchkey.css"), "utf8");
  const [light = "", dark = ""] = sheet.split("@supports (color: light-dark(white, black))");
  const ofDark = new Map(
    [...dark.matchAll(/^ {4}(--lk-[\w-]+): (.*);$/gm)].map(([, name, value]) => [name, value]),
  );
  const rows = [...light.matchAll(/^ {2}(--lk-[\w-]+): (.*?);(?: \/\* (.*) \*\/)?$/gm)].map(
    ([, name, value, words]) => {
      if (!words) throw new Error(`Say in a comment what ${name} is for.`);
      return [code(name), words, code(value), ofDark.has(name) ? code(darkOf(ofDark.get(name))) : "the same"];
    },
  );
  return [
    "## CSS variables",
    "For the cards and the element. Set them on `:root`, or on any element around them.",
    table(["variable", "for", "light", "dark"], rows),
  ];
}

/** The second of the two values of `light-dark()`. */
function darkOf(value) {
  return value
    .replace(/light-dark\((?:[^()]|\([^()]*\))*?\), ((?:[^()]|\([^()]*\))*)\)$/, "$1")
    .replace(/light-dark\(.*?\), (.*)\)$/, "$1");
}
