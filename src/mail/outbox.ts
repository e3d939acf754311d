import { randomBytes } from "node:crypto";
import { access, constants, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import PQueue from "p-queue";
import type { Sender } from "../options/kinds.ts";
import { compile, type Mail, type MailTransport } from "./transport.ts";

const DAY = 86_400_000;
const KEPT = 7 * DAY;
const CLEAN_INTERVAL = 3_600_000;

/**
 * Matches only Latchkey's own files, finished or drafts: time, a counter of the process, and a random part.
 */
const NAME =
  /^(?:\.(?=.*\.draft$)|(?=.*\.eml$))(\d{4}-\d{2}-\d{2})T(\d{2})-(\d{2})-(\d{2}\.\d{3})Z-\d{6}-[0-9a-f]{8}\.(?:eml|draft)$/;

type Outbox = MailTransport & {
  /** Resolves once files that were too old at the start are deleted. */
  cleaned: Promise<void>;
};

type OutboxOptions = {
  folder: string;
  from: Sender;
  now: () => number;
  /** Called if old files could not be deleted; emails are written anyway. */
  onCleanFailure: (error: unknown) => void;
};

/**
 * A folder of `.eml` files, for operators who have no mail server yet. File names sort by time; an email
 * appears whole or not at all; files older than 7 days are deleted, at the start and then hourly.
 */
export function outboxTransport({ folder, from, now, onCleanFailure }: OutboxOptions): Outbox {
  let counter = 0;
  let cleanedAt = now();
  const tidy = () => clean(folder, cleanedAt).catch(onCleanFailure);
  /** Writes one email at a time, so that a later email never appears before an earlier one. */
  const oneAtATime = new PQueue({ concurrency: 1 });
  const cleaned = oneAtATime.add(tidy);

  async function put(mail: Mail): Promise<void> {
    const { createTransport } = await import("nodemailer");
    const composer = createTransport({ streamTransport: true, buffer: true, newline: "windows" });
    const { message: eml } = await composer.sendMail(compile(from, mail));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    counter = (counter + 1) % 1_000_000;
    const time = new Date(mail.at).toISOString().replaceAll(":", "-");
    await writeWhole(
      folder,
      `${time}-${String(counter).padStart(6, "0")}-${randomBytes(4).toString("hex")}`,
      eml,
    );
    await tidyHourly();
  }

  async function tidyHourly(): Promise<void> {
    if (now() - cleanedAt < CLEAN_INTERVAL) return;
    cleanedAt = now();
    await tidy();
  }

  // Deletes old emails, whose links are secrets, even if no new email is written.
  const timer = setInterval(() => void tidyHourly(), CLEAN_INTERVAL);
  timer.unref();

  return {
    cleaned,
    send: (mail) => oneAtATime.add(() => put(mail)),
    async verify() {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await access(folder, constants.W_OK);
    },
    close: () => clearInterval(timer),
  };
}

async function writeWhole(folder: string, name: string, eml: Buffer | Readable): Promise<void> {
  const draft = join(folder, `.${name}.draft`);
  try {
    await writeFile(draft, eml, { mode: 0o600, flag: "wx" });
    await rename(draft, join(folder, `${name}.eml`));
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    throw error;
  }
}

async function clean(folder: string, now: number): Promise<void> {
  for (const file of await filesOf(folder)) {
    const [, day, hours, minutes, seconds] = NAME.exec(file) ?? [];
    if (day === undefined) continue;
    if (now - Date.parse(`${day}T${hours}:${minutes}:${seconds}Z`) > KEPT)
      await rm(join(folder, file), { force: true });
  }
}

/** The files of the folder; none if the folder doesn't exist yet. */
export async function filesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
