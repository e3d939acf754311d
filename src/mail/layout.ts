/** A mail, ready to be sent: the text part says the same as the HTML one. */
export type Message = { subject: string; text: string; html: string };

type Content = {
  subject: string;
  lines: string[];
  button?: { words: string; link: string };
  after?: string[];
};

/** Puts a mail together: one column, one button at most, no images, nothing that tracks. */
export function compose(context: { product: string; email: string }, content: Content): Message {
  const { lines, button, after = [] } = content;
  const footer = `Sent to ${context.email} by ${context.product}.`;
  const link = button === undefined ? [] : [`${button.words}:\n${button.link}`];
  const text = [...lines, ...link, ...after, footer]
    .map((part) => oneLine(part, "keeps breaks"))
    .join("\n\n");
  return { subject: oneLine(content.subject), text: `${text}\n`, html: page(lines, button, after, footer) };
}

const PARAGRAPH = "margin:0 0 16px;font-size:15px;line-height:1.5";
const BUTTON =
  "display:inline-block;padding:10px 18px;border-radius:6px;background:#1f4fd8;color:#ffffff;text-decoration:none;font-weight:600";
const SMALL = "margin:24px 0 0;font-size:13px;line-height:1.5;opacity:0.75";

function page(lines: string[], button: Content["button"], after: string[], footer: string): string {
  const paragraphs = lines.map((line) => `<p style="${PARAGRAPH}">${escapeHtml(line)}</p>`);
  const action =
    button === undefined
      ? []
      : [
          `<p style="${PARAGRAPH}"><a href="${escapeHtml(button.link)}" style="${BUTTON}">${escapeHtml(button.words)}</a></p>`,
        ];
  const rest = after.map((line) => `<p style="${PARAGRAPH}">${escapeHtml(line)}</p>`);
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"></head>',
    '<body style="margin:0;padding:24px;font-family:system-ui,-apple-system,sans-serif">',
    '<div style="max-width:480px;margin:0 auto">',
    ...paragraphs,
    ...action,
    ...rest,
    `<p style="${SMALL}">${escapeHtml(footer)}</p>`,
    "</div></body></html>",
  ].join("\n");
}

/** Control signs and those that turn the direction of text have no place in a mail's own words. */
const DISTURBING = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

function oneLine(text: string, breaks?: "keeps breaks"): string {
  return breaks === undefined
    ? text.replace(DISTURBING, " ")
    : text.replace(DISTURBING, (sign) => (sign === "\n" ? sign : " "));
}

function escapeHtml(text: string): string {
  return oneLine(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** A time as people write it, in UTC: "24 November 2026, 03:47 UTC". */
export function inWords(at: number): string {
  const date = new Date(at);
  const day = date.toLocaleDateString("en-GB", {
    day: "numeric",
    month: "long",
    year: "numeric",
    timeZone: "UTC",
  });
  return `${day}, ${date.toISOString().slice(11, 16)} UTC`;
}
