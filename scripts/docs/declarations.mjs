// Reads what the documentation says about types from the declarations that the compiler generates.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync } from "vite";

/** What these files declare, by name: functions, types and classes, each with its comment. */
export function declarationsIn(folder, ...names) {
  const found = { aliases: {} };
  for (const name of names) {
    const source = sourceOf(folder, name);
    for (const statement of source.program.body) {
      const declared = statement.declaration ?? statement;
      if (declared.type === "VariableDeclaration" || !declared.id) continue;
      found[declared.id.name] = declarationOf(declared, statement, source);
    }
  }
  found.aliases.Ending = "SignedOut";
  return found;
}

function declarationOf(declared, statement, source) {
  const { text, commentBefore } = source;
  const base = {
    comment: commentBefore(statement.start),
    text: text.slice(declared.start, declared.end).replace(/^declare /, ""),
  };
  if (/Function/.test(declared.type)) {
    const returns = declared.returnType?.typeAnnotation;
    const [first] = declared.params;
    return {
      ...base,
      kind: "function",
      takes: oneLine(`(${declared.params.map((one) => text.slice(one.start, one.end)).join(", ")})`),
      propsText: first ? oneLine(text.slice(annotationOf(first).start, annotationOf(first).end)) : "",
      returns: returns && { node: returns, source },
      returnsText: returns ? short(text.slice(returns.start, returns.end)) : "",
    };
  }
  if (declared.type === "ClassDeclaration") return { ...base, kind: "class" };
  return { ...base, kind: "type", type: { node: declared.typeAnnotation, source } };
}

/** The names that an index exports. */
export function exportsOf(folder, name) {
  return sourceOf(folder, name)
    .program.body.flatMap(({ specifiers = [] }) => specifiers)
    .map(({ exported }) => exported?.name)
    .filter(Boolean);
}

/** The members of a type literal, or of those that a type is composed of. */
export function membersOf({ node, source }) {
  if (node.type === "TSIntersectionType")
    return node.types.flatMap((one) => membersOf({ node: one, source }));
  if (node.type !== "TSTypeLiteral") return [];
  const { text, commentBefore } = source;
  return node.members.map((member) => {
    const signature = member.type === "TSMethodSignature" ? member : member.typeAnnotation.typeAnnotation;
    const isFunction = signature.type === "TSFunctionType" || signature === member;
    const returns = isFunction ? signature.returnType.typeAnnotation : undefined;
    return {
      name: member.key.name,
      comment: commentBefore(member.start),
      isOptional: member.optional === true,
      type:
        isFunction && member.type === "TSMethodSignature"
          ? ""
          : short(text.slice(signature.start, signature.end)),
      parameters: isFunction ? signature.params.map((one) => text.slice(one.start, one.end)) : [],
      takes: returns && givesPromise(returns, text) ? listOf(signature.params, text) : undefined,
      gives:
        returns &&
        short(text.slice(returns.start, returns.end))
          .replace(/^Promise<([\s\S]*)>$/, "$1")
          .replace(/^void$/, "nothing"),
    };
  });
}

function givesPromise(returns, text) {
  return text.slice(returns.start, returns.end).startsWith("Promise<");
}

/** Parameters as a reader sees them: a destructured one has no name. */
function listOf(params, text) {
  const named = (one) => {
    const annotation = annotationOf(one);
    const type = oneLine(text.slice(annotation.start, annotation.end));
    return one.type === "ObjectPattern"
      ? `options${one.optional ? "?" : ""}: ${type}`
      : oneLine(text.slice(one.start, one.end));
  };
  return params.map(named).join(", ") || "nothing";
}

function annotationOf(parameter) {
  return (parameter.typeAnnotation ?? parameter.left.typeAnnotation).typeAnnotation;
}

function sourceOf(folder, name) {
  const text = readFileSync(join(folder, `${name}.d.ts`), "utf8");
  const { program, comments } = parseSync(`${name}.d.ts`, text);
  const docs = comments.filter(({ type, value }) => type === "Block" && value.startsWith("*"));
  const commentBefore = (start) => {
    const comment = docs.find(({ end }) => end <= start && /^\s*$/.test(text.slice(end, start)));
    return comment ? oneLine(comment.value.slice(1).replace(/^\s*\*/gm, "")) : "";
  };
  return { text, program, commentBefore };
}

function short(type) {
  return oneLine(type.replace(/import\("[^"]+"\)\./g, ""));
}

export function oneLine(text) {
  return text.replace(/\s+/g, " ").replace(/; \}/g, " }").trim();
}
