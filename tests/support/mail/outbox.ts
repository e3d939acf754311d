import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type AddressObject, simpleParser } from "mailparser";

export type Mail = { file: string; to: string[]; from: string; subject: string; text: string; html: string };

const TIMEOUT = 5_000;
const LOOK_INTERVAL = 10;

/**
 * The folder that a server without a mail server writes to, oldest email first. Emails are written after the
 * answer that they belong to, so reading waits until the server has written what it has begun: the newest
 * email found is the newest there is.
 */
export class Outbox {
  readonly folder: string;
  readonly #settled: () => Promise<void>;
  readonly #parsed = new Map<string, Mail>();

  constructor(folder: string, settled: () => Promise<void>) {
    this.folder = folder;
    this.#settled = settled;
  }

  async all(): Promise<Mail[]> {
    await this.#settled();
    const files = await readdir(this.folder).catch(() => []);
    return Promise.all(
      files
        .filter((file) => file.endsWith(".eml"))
        .sort()
        .map((file) => this.#read(file)),
    );
  }

  /** What is there now for an address, oldest first. */
  async to(address: string): Promise<Mail[]> {
    return (await this.all()).filter((mail) => mail.to.includes(address));
  }

  /** Waits until this many are there: another node may write here, too. @throws if they don't come. */
  async waitFor(address: string, count: number): Promise<Mail[]> {
    const mails = await this.#until(address, (found) => found.length >= count);
    if (mails.length > count) throw new Error(`${mails.length} emails to ${address}: ${subjects(mails)}`);
    return mails;
  }

  /** The newest email that has a link to this page, once it is there. */
  async withLink(address: string, page: string, newerThan?: Mail): Promise<Mail> {
    const isIt = (mail: Mail) => hasLink(mail, page) && (!newerThan || mail.file > newerThan.file);
    const mails = await this.#until(address, (found) => found.some(isIt));
    const mail = mails.findLast(isIt);
    if (!mail) throw new Error("unreachable");
    return mail;
  }

  /** The newest email with these words in its subject, once it is there. */
  async withSubject(address: string, words: string): Promise<Mail> {
    const isIt = (mail: Mail) => mail.subject.includes(words);
    const mails = await this.#until(address, (found) => found.some(isIt));
    const mail = mails.findLast(isIt);
    if (!mail) throw new Error("unreachable");
    return mail;
  }

  /** The token of the newest link to this page that was emailed to an address. */
  async tokenFor(address: string, page: string, newerThan?: Mail): Promise<string> {
    return tokenIn(await this.withLink(address, page, newerThan), page);
  }

  async #until(address: string, isEnough: (mails: Mail[]) => boolean): Promise<Mail[]> {
    const end = performance.now() + TIMEOUT;
    for (;;) {
      const mails = await this.to(address);
      if (isEnough(mails)) return mails;
      if (performance.now() > end)
        throw new Error(`Emails to ${address} are only: ${subjects(mails) || "nothing"}`);
      await wait(LOOK_INTERVAL);
    }
  }

  async #read(file: string): Promise<Mail> {
    const known = this.#parsed.get(file);
    if (known) return known;
    const parsed = await simpleParser(await readFile(join(this.folder, file)));
    const mail = {
      file,
      to: addresses(parsed.to),
      from: parsed.from?.text ?? "",
      subject: parsed.subject ?? "",
      text: parsed.text ?? "",
      html: parsed.html || "",
    };
    this.#parsed.set(file, mail);
    return mail;
  }
}

/** The complete links in an email, as a person would copy them. */
export function linksIn(mail: Mail): string[] {
  return mail.text.match(/https?:\/\/[^\s<>")\]]+/g) ?? [];
}

export function tokenIn(mail: Mail, page: string): string {
  const link = linksIn(mail).find((one) => one.includes(`${page}#token=`));
  if (!link) throw new Error(`No link to ${page} in "${mail.subject}".`);
  return link.slice(link.indexOf("#token=") + "#token=".length);
}

function hasLink(mail: Mail, page: string): boolean {
  return linksIn(mail).some((link) => link.includes(`${page}#token=`));
}

function addresses(to: AddressObject | AddressObject[] | undefined): string[] {
  const lists = to === undefined ? [] : Array.isArray(to) ? to : [to];
  return lists.flatMap((list) => list.value.map((one) => one.address ?? ""));
}

const subjects = (mails: Mail[]) => mails.map((mail) => `"${mail.subject}"`).join(", ");
