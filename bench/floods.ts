import { request } from "node:http";
import type { Person, Server } from "./floods-clients.ts";
import {
  CLIENTS,
  check,
  cookieOf,
  email,
  floodOf,
  median,
  PASSWORDS,
  send,
  signUp,
  start,
  timesOf,
} from "./floods-clients.ts";
import type { Told } from "./floods-server.ts";

const HELP = `node bench/floods.ts [SECONDS]: what floods do to everyone else, as ratios within one run.

A server in a separate process, on loopback and the embedded database, is measured at rest and then flooded for
SECONDS (default 5) with each of: hostile passwords, streams, 20,000 sessions of one account, guesses at an
imported account, refusals. Takes about a minute and a half.`;
if (process.argv.includes("--help")) {
  console.log(HELP);
  process.exit(0);
}

const SECONDS = Math.min(60, Number(process.argv[2] ?? 5));
const STREAMS = 1_000;
const SESSIONS = 20_000;
const REFUSALS = 20;
const BCRYPT_COST = 10;
/** Weak, so that only the strength check costs anything, and slow to check. */
const HOSTILE = "p@$$w0rd".repeat(125);

const open = await start("off");
await hostilePasswords(open);
await streams(open);
await manySessions(open);
await importedAccounts(open);
await open.stop();
const limited = await start("on");
await refusals(limited);
await limited.stop();

async function hostilePasswords({ port }: Server): Promise<void> {
  console.error(`hostile passwords, ${CLIENTS} clients at once …`);
  const person = await signUp(port);
  await changeFor(port, person, 1);
  const quiet = { change: await changeFor(port, person, SECONDS), check: await checksFor(port, person) };
  const flood = floodOf(() => send(port, "POST", "/api/accounts", "", { email: email(), password: HOSTILE }));
  const busy = { change: await changeFor(port, person, SECONDS), check: await checksFor(port, person) };
  const answers = await flood.stop();
  show("8: a password change", quiet.change.median, busy.change.median, `${busy.change.refused} were 503`);
  show("8: session checks", quiet.check, busy.check, `the flood got ${answers}`);
}

/** Changes the password back and forth; returns the median time of those that succeeded. */
async function changeFor(port: number, person: Person, seconds: number) {
  const took: number[] = [];
  let refused = 0;
  for (const end = performance.now() + seconds * 1_000; performance.now() < end; ) {
    const began = performance.now();
    const newPassword = PASSWORDS.find((one) => one !== person.password) ?? "";
    const body = { currentPassword: person.password, newPassword };
    const answer = await send(port, "PUT", "/api/account/password", person.cookie, body);
    if (answer.status === 204) {
      took.push(performance.now() - began);
      Object.assign(person, { password: newPassword, cookie: cookieOf(answer.setCookies) });
    } else refused += 1;
  }
  return { median: median(took), refused };
}

async function streams(server: Server): Promise<void> {
  console.error(`${STREAMS} HEAD /api/live, then ${STREAMS} streams of one session …`);
  const { port } = server;
  const { cookie } = await signUp(port);
  const before = await server.ask({ what: "measure" });
  for (let asked = 0; asked < STREAMS; asked++) await send(port, "HEAD", "/api/live", cookie);
  const headed = await server.ask({ what: "measure" });
  const opened = await Promise.all(Array.from({ length: STREAMS }, () => openStream(port, cookie)));
  const streamed = await server.ask({ what: "measure" });
  for (const { close } of opened) close();
  const grown = (told: Told) => `${(told.megabytes - before.megabytes).toFixed(0)} MB more`;
  console.log(`9: after ${STREAMS} HEAD /api/live: ${headed.streams} streams, ${grown(headed)}`);
  console.log(`9: after opening ${STREAMS}: ${streamed.streams} streams, ${grown(streamed)}`);
}

function openStream(port: number, cookie: string): Promise<{ close(): void }> {
  return new Promise((resolve, reject) => {
    const headers = { Host: "localhost:3999", Cookie: cookie };
    const outgoing = request(
      { port, host: "127.0.0.1", path: "/api/live", agent: false, headers },
      (incoming) => {
        incoming.on("error", () => {}).resume();
        resolve({ close: () => incoming.destroy() });
      },
    );
    outgoing.once("error", reject).end();
  });
}

async function manySessions(server: Server): Promise<void> {
  console.error(`an account with ${SESSIONS} sessions …`);
  const { port } = server;
  const [many, other] = [await signUp(port), await signUp(port)];
  const list = () => send(port, "GET", "/api/sessions", many.cookie);
  const few = median(await timesOf(list, 20));
  await server.ask({ what: "plant sessions", accountId: many.id, many: SESSIONS });
  show("14: the list", few, median(await timesOf(list, 20)));
  const quiet = await checksFor(port, other);
  const ending = timesOf(() => send(port, "DELETE", "/api/sessions", many.cookie), 1);
  const meanwhile: number[] = [];
  let isOver = false;
  const over = ending.finally(() => {
    isOver = true;
  });
  while (!isOver) meanwhile.push(...(await timesOf(() => check(port, other), 1)));
  const [took = 0] = await over;
  show("14: session checks while all other sessions end", quiet, median(meanwhile));
  console.log(
    `14: ending ${SESSIONS} took ${took.toFixed(0)} ms; the slowest check ${Math.max(...meanwhile).toFixed(0)} ms`,
  );
}

async function importedAccounts(server: Server): Promise<void> {
  console.error("refusals while an account has a bcrypt password …");
  const { port } = server;
  const [imported, own] = [await signUp(port), await signUp(port)];
  const refuse = (address: string) => async () => {
    const answer = await send(port, "POST", "/api/session", "", {
      email: address,
      password: "wrong, all of it",
    });
    if (answer.status !== 401) throw new Error(`${answer.status} ${answer.text}`);
  };
  const { id: accountId } = imported;
  await server.ask({ what: "import password", accountId, password: PASSWORDS[0], cost: BCRYPT_COST });
  await timesOf(refuse(imported.email), 3);
  const theirs = median(await timesOf(refuse(imported.email), REFUSALS));
  show(
    "16: refusing an account of our own, against the imported one",
    theirs,
    median(await timesOf(refuse(own.email), REFUSALS)),
  );
  show(
    "16: refusing an unknown address, against it",
    theirs,
    median(await timesOf(refuse(email()), REFUSALS)),
  );
}

async function refusals({ port }: Server): Promise<void> {
  console.error(`refusals (429) over ${CLIENTS} connections …`);
  const person = await signUp(port);
  const victim = email();
  const guess = () => send(port, "POST", "/api/session", "", { email: victim, password: "wrong, all of it" });
  while ((await guess()).status !== 429);
  const quiet = await checksFor(port, person);
  const flood = floodOf(guess);
  const busy = await checksFor(port, person);
  show("12: session checks", quiet, busy, `the flood got ${await flood.stop()}`);
}

/** The median time of session checks, one after another. */
async function checksFor(port: number, person: Person): Promise<number> {
  const took: number[] = [];
  const end = performance.now() + SECONDS * 1_000;
  while (performance.now() < end) took.push(...(await timesOf(() => check(port, person), 1)));
  return median(took);
}

function show(what: string, quiet: number, busy: number, more = ""): void {
  const ratio = (busy / quiet).toFixed(1);
  console.log(
    `${what}: ${ratio} times (${quiet.toFixed(1)} ms, then ${busy.toFixed(1)} ms${more && `; ${more}`})`,
  );
}
