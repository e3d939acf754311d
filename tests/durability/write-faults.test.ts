import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { contentsOf } from "../support/databases/at-rest.ts";
import { engineOf, type TestDatabase } from "../support/databases/engines.ts";
import { canInjectFaults, withWriteFault } from "../support/databases/write-faults.ts";
import type { Answer } from "../support/requests/answers.ts";
import { Client } from "../support/requests/client.ts";
import { expectProblem, expectSignedIn } from "../support/requests/expectations.ts";
import {
  type Device,
  isSignedIn,
  OTHER_PASSWORD,
  PASSWORD,
  type Person,
  signIn,
  signUp,
  trySignIn,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { type Serving, serve } from "../support/servers/command-line.ts";
import { freePort } from "../support/servers/free-port.ts";

const canInject = await canInjectFaults();

/** The writes at which a change fails: the first ones, and then later and later ones until none is left. */
const AT = [1, 3, 9, 27, 81, 243];

const FULL = { call: "pwrite64", error: "ENOSPC" } as const;
const BROKEN = { call: "pwrite64", error: "EIO" } as const;
const NOT_SYNCED = { call: "fsync,fdatasync", error: "EIO" } as const;

describe.runIf(canInject)("If the file of the embedded database can't be written", () => {
  let database: TestDatabase;
  let serving: Serving;
  let port: number;

  beforeAll(async () => {
    database = await engineOf("sqlite").createDatabase();
    port = await freePort();
    const env = { PORT: String(port), DATABASE_URL: database.url, LATCHKEY_RATE_LIMITS: "off" };
    serving = await serve({ cwd: database.folder, env });
  });
  afterAll(async () => {
    await serving.stop();
    await database.drop();
  });

  const server = {
    client: (userAgent?: string) => new Client({ baseUrl: `http://localhost:${port}`, port, userAgent }),
  };
  const log = () => `${database.url.slice("sqlite:".length)}-wal`;

  type Scene = { person: Person; other: Device };
  type Change = {
    ask: (scene: Scene) => Promise<Answer>;
    /** Whether it has happened, as far as the two devices can see. */
    happened: (scene: Scene) => Promise<boolean>;
    /** A right password renews the token, with a commit of its own that comes before the change. */
    renews?: true;
  };

  const opens = async (scene: Scene, password: string) => {
    const { status } = await trySignIn(server.client(UA.script), { ...scene.person, password });
    return status === 201;
  };

  const CHANGES = {
    "log out other devices": {
      ask: ({ person }) => person.client.delete("/api/sessions"),
      happened: async ({ other }) => !(await isSignedIn(other.client)),
    },
    "a log-out on a row": {
      ask: ({ person, other }) => person.client.delete(`/api/sessions/${other.session.id}`),
      happened: async ({ other }) => !(await isSignedIn(other.client)),
    },
    "a sign-in that replaces a session": {
      ask: ({ person }) => trySignIn(server.client(UA.firefoxWindows), person),
      happened: async ({ other }) => !(await isSignedIn(other.client)),
    },
    "a password change": {
      renews: true,
      ask: ({ person }) =>
        person.client.put("/api/account/password", {
          currentPassword: PASSWORD,
          newPassword: OTHER_PASSWORD,
        }),
      happened: async (scene) => {
        const isNew = await opens(scene, OTHER_PASSWORD);
        // The password and the endings belong together: never one without the other.
        expect(await opens(scene, PASSWORD)).toBe(!isNew);
        expect(await isSignedIn(scene.other.client)).toBe(!isNew);
        return isNew;
      },
    },
  } satisfies Record<string, Change>;

  /** Without the waiting emails: earlier ones are sent meanwhile. */
  async function stored(): Promise<Record<string, string[]>> {
    const { outgoing_email: _, ...tables } = await contentsOf(database);
    return tables;
  }

  async function scene(): Promise<Scene> {
    const person = await signUp(server);
    return { person, other: await signIn(server, person, UA.firefoxWindows) };
  }

  test.each([
    ["the disk is full", "log out other devices", FULL],
    ["the disk is full", "a log-out on a row", FULL],
    ["the disk is full", "a sign-in that replaces a session", FULL],
    ["the disk is full", "a password change", FULL],
    ["the disk is broken", "log out other devices", BROKEN],
    ["what was written can't be made to last", "log out other devices", NOT_SYNCED],
  ] as const)(
    "since %s, %s is whole or not at all, is answered as it is, and works once there is room",
    async (_why, name, fault) => {
      const { ask, happened, renews }: Change = CHANGES[name];
      let refused = 0;
      let isDone = false;
      for (const from of AT) {
        const here = await scene();
        const before = await stored();
        const answer = await withWriteFault(serving.child, log(), { ...fault, from }, async () => {
          const answer = await ask(here);
          await expectSignedIn(here.person.client);
          return answer;
        });
        isDone = answer.status < 300;
        await expectSignedIn(here.person.client);
        if (!isDone) {
          refused += 1;
          expectProblem(answer, 503, "unavailable");
          if (!renews) expect(await stored()).toEqual(before);
          await expectSignedIn(here.other.client);
        }
        expect(await happened(here)).toBe(isDone);
        if (isDone) break;
        expect((await ask(here)).status).toBeLessThan(300);
        expect(await happened(here)).toBe(true);
      }
      expect(refused).toBeGreaterThan(0);
      expect(isDone).toBe(true);
    },
    300_000,
  );
});
