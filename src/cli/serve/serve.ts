import { setTimeout as wait } from "node:timers/promises";
import type { Command } from "commander";
import { DatabaseUnavailable } from "../../database/database.ts";
import type { HttpParts } from "../../http/call.ts";
import { listen } from "../../http/listen.ts";
import { openLatchkey, whereEmailsGo } from "../../latchkey.ts";
import { SETTINGS } from "../../options/table.ts";
import { givenOptions } from "../given-options.ts";
import { CommandFailed, print, sentenceOf } from "../terminal.ts";
import { giveWayToRequests, sizeThreadPool } from "./threads.ts";

export function addServe(program: Command): void {
  program
    .command("serve")
    .description("Starts the server; settings come from environment variables or a .env file.")
    .addHelpText("after", settingsHelp)
    .action(runServer);
}

const VARIABLE_WIDTH = 30;

function settingsHelp(): string {
  const lines = SETTINGS.flatMap(({ variable, byDefault, sentence, takes }) => [
    `  ${variable.padEnd(VARIABLE_WIDTH)}${sentence.replaceAll("`", "")} (default: ${byDefault})`,
    `  ${"".padEnd(VARIABLE_WIDTH)}takes ${takes}`,
  ]);
  return ["\nSettings:", ...lines].join("\n");
}

async function runServer(): Promise<void> {
  sizeThreadPool();
  const latchkey = await openLatchkey(await givenOptions());
  await giveWayToRequests(latchkey.parts.log);
  const { settings } = latchkey;
  const { port, host } = settings;
  const server = await listen(latchkey, { port, host }).catch(async (error: NodeJS.ErrnoException) => {
    await latchkey.close();
    throw new CommandFailed(whyNot(error, host, port));
  });
  const stopped = stopSignal();
  const emailsGo = whereEmailsGo(settings);
  if (emailsGo !== null) latchkey.parts.log.info(emailsGo);
  try {
    if (await databaseAnswers(latchkey.parts, stopped))
      print(`Latchkey is ready at ${settings.baseUrl.href}`);
    await stopped;
    // A failure to write the line above must not make a clean stop look like a failure.
    process.exitCode = 0;
  } finally {
    await server.close();
    await latchkey.close();
  }
}

const ASK_AGAIN_AFTER = 500; // ms
const TELL_EVERY = 5_000; // ms

/** Waits for a database that starts later than the server. Returns false if a signal stops the server first. */
async function databaseAnswers({ database, log }: HttpParts, stopped: Promise<false>): Promise<boolean> {
  for (let toldAt = 0; ; ) {
    const query = database.read.selectFrom("account").select("id").limit(1).execute();
    try {
      return await Promise.race([query.then(() => true), stopped]);
    } catch (error) {
      if (!(error instanceof DatabaseUnavailable)) throw error;
      if (Date.now() - toldAt >= TELL_EVERY) {
        toldAt = Date.now();
        log.warn(`Waiting for the database. ${sentenceOf(error)}`);
      }
    }
    await Promise.race([wait(ASK_AGAIN_AFTER, undefined, { ref: false }), stopped]);
  }
}

function whyNot(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.code === "EADDRINUSE") return `Port ${port} is taken. Stop the other program, or set PORT.`;
  if (error.code === "EACCES") return `Port ${port} may not be used by this user. Set PORT to 1024 or more.`;
  if (error.code === "EADDRNOTAVAIL" || error.code === "ENOTFOUND")
    return `HOST ${host} is not an address of this machine.`;
  return error.message;
}

/**
 * A terminal that closes sends SIGHUP. Node reacts to it even under nohup, so a listener changes nothing there.
 * A signal often comes twice: once to the process group, and once passed on by npm or another parent process.
 * Without a listener for the second one, it would kill the process during its clean stop.
 */
function stopSignal(): Promise<false> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => resolve(false));
  });
}
