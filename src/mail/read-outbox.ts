import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { timeInWords } from "./layout.ts";
import { filesOf } from "./outbox.ts";

/** An email in the outbox, as its reader sees it. */
export type WrittenEmail = { file: string; to: string; subject: string; at: string; text: string };

/** The number of emails that the page shows. */
const MOST_SHOWN = 100;

/** The newest emails in the outbox, newest first, since the file names sort by time. */
export async function readOutbox(folder: string): Promise<WrittenEmail[]> {
  const files = await emailsOf(folder);
  return Promise.all(files.slice(0, MOST_SHOWN).map((file) => readEmail(folder, file)));
}

/** One email; null if the outbox has no email in a file of that name. */
export async function readFromOutbox(folder: string, file: string): Promise<WrittenEmail | null> {
  return (await emailsOf(folder)).includes(file) ? readEmail(folder, file) : null;
}

async function emailsOf(folder: string): Promise<string[]> {
  const files = (await filesOf(folder)).filter((file) => file.endsWith(".eml"));
  return files.sort().reverse();
}

async function readEmail(folder: string, file: string): Promise<WrittenEmail> {
  const { default: PostalMime } = await import("postal-mime");
  const {
    to = [],
    subject = "",
    date = "",
    text = "",
  } = await PostalMime.parse(await readFile(join(folder, file)));
  return { file, to: to.map(({ address = "" }) => address).join(", "), subject, at: written(date), text };
}

/** When an email was written, in words; a file that Latchkey didn't write may not say. */
function written(date: string): string {
  const at = Date.parse(date);
  return Number.isNaN(at) ? "at an unknown time" : timeInWords(at);
}
