/** Gives each cell of a table its column's heading, which a phone shows beside it: there, cells stand one below the other. */
export function labelCells(md) {
  md.core.ruler.push("label-cells", ({ tokens }) => {
    let labels = [];
    let column = 0;
    for (const [at, token] of tokens.entries()) {
      if (token.type === "thead_open") labels = [];
      if (token.type === "th_open") labels.push(tokens[at + 1].content.replaceAll("`", ""));
      if (token.type === "tr_open") column = 0;
      if (token.type === "td_open") token.attrSet("data-label", labels[column++] ?? "");
    }
  });
}
