import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { createSeal } from "../../../src/credentials/seal.ts";
import { openSqlite } from "../../../src/database/sqlite/sqlite.ts";
import type { Message } from "../../../src/mail/layout.ts";
import { createMailer, type Mailer, type MailerOptions } from "../../../src/mail/mailer.ts";
import { storeEmails } from "../../../src/mail/outgoing.ts";
import { readSender } from "../../../src/options/kinds.ts";

/** A next try that is later than this, in ms, isn't waited for. */
const SOON = 5_000;

export type WaitingMailer = Pick<Mailer, "sendDue" | "verify" | "close"> & {
  /** Writes an email and has it sent. `at` is when its cause happened. */
  send(to: string, message: Message): void;
  /** Resolves when every email is sent, given up, or not due to be tried soon. */
  settled(): Promise<void>;
  /** Emails that are neither sent nor given up. */
  waiting(): Promise<{ tries: number; failure: string | null; next_try_at: number }[]>;
  remove(): Promise<void>;
};

/** `from` is as `MAIL_FROM` has it. */
export type WaitingMailerOptions = Omit<MailerOptions, "database" | "seal" | "admit" | "from"> &
  Partial<Pick<MailerOptions, "admit">> & { from: string; at?: () => number };

/** A mailer with its own embedded database, in which its emails wait. */
export function createWaitingMailer({
  at,
  from,
  admit = async () => true,
  ...options
}: WaitingMailerOptions): WaitingMailer {
  const { now } = options;
  const sender = readSender(from);
  if (sender === undefined) throw new Error(`${from} isn't a valid sender.`);
  const folder = mkdtempSync(join(tmpdir(), "latchkey-mailer-"));
  const database = openSqlite(join(folder, "latchkey.db"));
  const seal = createSeal([randomBytes(32)]);
  const mailer = createMailer({ ...options, from: sender, database, seal, admit });
  let written: Promise<unknown> = Promise.resolve();
  const isWritten = () => written;
  const waiting = () =>
    database.read.selectFrom("outgoing_email").select(["tries", "failure", "next_try_at"]).execute();
  return {
    send(to, message) {
      const causedAt = (at ?? now)();
      written = written
        .then(() => database.write((write) => storeEmails(seal, write, [{ to, message }], causedAt)))
        .then(() => mailer.sendDue());
    },
    async settled() {
      await isWritten();
      const isLater = (row: { next_try_at: number }) => row.next_try_at > now() + SOON;
      await vi.waitFor(
        async () => {
          await mailer.settled();
          if (!(await waiting()).every(isLater)) throw new Error("Emails wait to be sent.");
        },
        { timeout: 10_000, interval: 10 },
      );
    },
    waiting: async () => {
      await isWritten();
      return waiting();
    },
    sendDue: mailer.sendDue,
    verify: mailer.verify,
    async close() {
      await isWritten();
      await mailer.close();
    },
    async remove() {
      await isWritten();
      await mailer.close();
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
