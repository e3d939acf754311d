import { randomBytes } from "node:crypto";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const DAY = 86_400_000;
const KEPT = 7 * DAY;
const CLEAN_INTERVAL = 3_600_000;

/** Our own files only: time, a counter of this process, and something random. */
const NAME = /^(\d{4}-\d{2}-\d{2})T(\d{2})-(\d{2})-(\d{2}\.\d{3})Z-\d{6}-[0-9a-f]{8}\.eml$/;

/** A folder of mails, for whoever has no mail server yet. */
export type Outbox = { put(eml: Buffer, at: number): Promise<void> };

/** File names sort by time; a mail appears whole or not at all; what is older than 7 days goes. */
export function createOutbox(folder: string): Outbox {
  let counter = 0;
  let cleanedAt = Number.NEGATIVE_INFINITY;
  return {
    async put(eml, at) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      counter += 1;
      const time = new Date(at).toISOString().replaceAll(":", "-");
      const name = `${time}-${String(counter % 1_000_000).padStart(6, "0")}-${randomBytes(4).toString("hex")}`;
      const draft = join(folder, `.${name}.draft`);
      await writeFile(draft, eml, { mode: 0o600, flag: "wx" });
      await rename(draft, join(folder, `${name}.eml`));
      if (at - cleanedAt < CLEAN_INTERVAL) return;
      cleanedAt = at;
      await clean(folder, at);
    },
  };
}

async function clean(folder: string, now: number): Promise<void> {
  for (const file of await readdir(folder)) {
    const [, day, hours, minutes, seconds] = NAME.exec(file) ?? [];
    if (day === undefined) continue;
    if (now - Date.parse(`${day}T${hours}:${minutes}:${seconds}Z`) > KEPT)
      await rm(join(folder, file), { force: true });
  }
}
