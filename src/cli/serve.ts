import { listen } from "../http/listen.ts";
import { createLatchkey } from "../latchkey.ts";
import type { Command, ExitCode, Run } from "./command.ts";
import { Refused } from "./command.ts";

export const serve: Command = {
  name: "serve",
  usage: "",
  summary: "Starts the server; everything is set by environment variables or a .env file.",
  flags: {},
  flagHelp: {},
  takes: 0,
  run: runServer,
};

async function runServer({ options, print, say }: Run): Promise<ExitCode> {
  const latchkey = await createLatchkey(options);
  const { settings } = latchkey;
  const { port, host } = settings;
  const server = await listen(latchkey, { port, host }).catch(async (error: NodeJS.ErrnoException) => {
    await latchkey.close();
    throw new Refused(whyNot(error, host, port));
  });
  if (settings.smtpUrl === null) say(`SMTP_URL is not set: mails are written to ${settings.outbox}`);
  print(`Latchkey is ready at ${settings.baseUrl.href}`);
  await stopSignal();
  await server.close();
  await latchkey.close();
  return 0;
}

function whyNot(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.code === "EADDRINUSE") return `Port ${port} is taken. Stop the other program, or set PORT.`;
  if (error.code === "EACCES") return `Port ${port} may not be used by this user. Set PORT to 1024 or more.`;
  if (error.code === "EADDRNOTAVAIL" || error.code === "ENOTFOUND")
    return `HOST ${host} is not an address of this machine.`;
  return error.message;
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGTERM", () => resolve());
    process.once("SIGINT", () => resolve());
  });
}
