export function table(heads, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(heads), line(heads.map(() => "---")).replaceAll(" ", ""), ...rows.map(line)].join("\n");
}

/** Code in a table, where a bar would end the cell. */
export function code(text) {
  return `\`${text.replaceAll("|", "\\|")}\``;
}

export function fenced(text) {
  return `\`\`\`ts\n${text.trim()}\n\`\`\``;
}
