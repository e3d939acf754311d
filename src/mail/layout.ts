import { deviceInSentence } from "../answers.ts";

/**
 * An email, ready to be sent. The text part says the same as the HTML part; `expiresAt` is when its link
 * expires.
 */
export type Message = {
  subject: string;
  text: string;
  html: string;
  share?: Share;
  link?: string;
  expiresAt?: number;
};

/** A link for an email, and when (ms) it expires. */
export type Link = { href: string; expiresAt: number };

/**
 * The kind of an email, by which the limit per address treats it. A notice reports something that has
 * happened to the account; a rescue is an email with which its owner regains access; a tally says how many
 * emails were held back. A rescue or a tally is never held back. Default: ordinary.
 */
export type Share = "ordinary" | "notice" | "rescue" | "tally";

type Content = {
  subject: string;
  share?: Share;
  lines: string[];
  button?: { words: string; link: Link };
  after?: string[];
};

/** What every email states: the site by the name people know, the account, the time (ms) and the device. */
export type Occasion = {
  product: string;
  /** The site's address, if the site also has a name: people compare the address with the link. */
  host?: string;
  email: string;
  at: number;
  device?: string;
  /** Colours of the button. */
  colour?: { ground: string; words: string };
  support?: { words: string; href: string };
};

/** Composes an email: one column, at most one button, no images, no tracking. */
export function compose(occasion: Occasion, content: Content): Message {
  const { button } = content;
  const subject = oneLine(content.subject);
  const lines = [...content.lines, when(occasion)].map(oneLine);
  const after = (content.after ?? []).map(oneLine);
  const { email, product, host, support } = occasion;
  const footer = oneLine(`Sent to ${email} by ${product}${host === undefined ? "" : ` (${host})`}.`);
  const link = button === undefined ? [] : [`${button.words}:\n${oneLine(button.link.href)}`];
  const help = support === undefined ? [] : [`Questions? ${support.words}`];
  const text = [...lines, ...link, ...after, footer, ...help].join("\n\n");
  const share = content.share ?? "ordinary";
  return {
    subject,
    text: `${text}\n`,
    html: page(occasion, subject, lines, button, after, footer),
    share,
    ...(button && { link: button.link.href, expiresAt: button.link.expiresAt }),
  };
}

function when({ at, device }: Occasion): string {
  return device === undefined
    ? `${timeInWords(at)}.`
    : `${timeInWords(at)}, from ${deviceInSentence(device)}.`;
}

const PARAGRAPH = "margin:0 0 16px;font-size:15px;line-height:1.5";
const BUTTON =
  "display:inline-block;padding:10px 18px;border-radius:6px;text-decoration:none;font-weight:600";
const COLOUR = { ground: "#1f4fd8", words: "#ffffff" };
const SMALL = "margin:24px 0 0;font-size:13px;line-height:1.5;opacity:0.75";

function page(
  { colour, support }: Occasion,
  subject: string,
  lines: string[],
  button: Content["button"],
  after: string[],
  footer: string,
): string {
  const { ground, words } = colour ?? COLOUR;
  const paragraphs = lines.map((line) => `<p style="${PARAGRAPH}">${escapeHtml(line)}</p>`);
  const action =
    button === undefined
      ? []
      : [
          `<p style="${PARAGRAPH}"><a href="${escapeHtml(button.link.href)}" style="${BUTTON};background:${ground};color:${words}">${escapeHtml(button.words)}</a></p>`,
        ];
  const rest = after.map((line) => `<p style="${PARAGRAPH}">${escapeHtml(line)}</p>`);
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">',
    `<title>${escapeHtml(subject)}</title></head>`,
    '<body style="margin:0;padding:24px;font-family:system-ui,-apple-system,sans-serif;overflow-wrap:anywhere">',
    '<div style="max-width:480px;margin:0 auto">',
    ...paragraphs,
    ...action,
    ...rest,
    `<p style="${SMALL}">${escapeHtml(footer)}</p>`,
    ...(support === undefined ? [] : [helpLine(support)]),
    "</div></body></html>",
  ].join("\n");
}

function helpLine({ words, href }: NonNullable<Occasion["support"]>): string {
  return `<p style="${SMALL}">Questions? <a href="${escapeHtml(href)}" style="color:inherit">${escapeHtml(words)}</a></p>`;
}

/**
 * Control characters, invisible characters and those that change the direction of text, all removed from
 * emails.
 */
const DISTURBING = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu;

function oneLine(text: string): string {
  return text.replace(DISTURBING, " ").trim();
}

function escapeHtml(text: string): string {
  return oneLine(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * Created with the first email: its locale data takes 8 MB of memory, which a server that sends none can
 * save.
 */
let day: Intl.DateTimeFormat | undefined;

/** A time as people write it, in UTC: "24 November 2026, 03:47 UTC". */
export function timeInWords(at: number): string {
  day ??= new Intl.DateTimeFormat("en-GB", {
    day: "numeric",
    month: "long",
    year: "numeric",
    timeZone: "UTC",
  });
  return `${day.format(at)}, ${new Date(at).toISOString().slice(11, 16)} UTC`;
}
