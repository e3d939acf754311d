import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { DAY } from "../support/requests/clock.ts";
import { expectSignedOut } from "../support/requests/expectations.ts";
import { type Person, signIn, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { latchkey } from "../support/servers/command-line.ts";
import { serverFor } from "../support/servers/server.ts";

describeOnEachEngine("A session that has expired and isn't pruned yet", (engine) => {
  const server = serverFor(engine);

  const run = (...words: string[]) => {
    const { database, secretKey } = server();
    const env = { DATABASE_URL: database.url, LATCHKEY_SECRET_KEY: secretKey };
    return latchkey(words, { cwd: database.folder, env });
  };

  /** Somebody whose only session expired yesterday. */
  async function signedUpLongAgo(): Promise<Person> {
    const { clock } = server();
    clock.setTo(Date.now() - 31 * DAY);
    const person = await signUp(server());
    clock.setTo(Date.now());
    return person;
  }

  test("isn't among those that end-all ends, as it isn't on the list", async () => {
    const person = await signedUpLongAgo();
    const other = await signIn(server(), person, UA.firefoxWindows);
    const ofPerson = ["--account", person.email, "--json"];
    expect(JSON.parse((await run("sessions", "list", ...ofPerson)).out)).toHaveLength(1);
    expect(JSON.parse((await run("sessions", "end-all", ...ofPerson)).out)).toEqual({ ended: 1 });
    await expectSignedOut(person.client, "expired");
    await expectSignedOut(other.client, "signed_out_remotely");
  });

  test("is none to end by its id", async () => {
    const { client, session } = await signedUpLongAgo();
    expect(await run("sessions", "end", session.id)).toMatchObject({ code: 1, out: "" });
    await expectSignedOut(client, "expired");
  });

  test("is counted by prune", async () => {
    await run("prune");
    await signedUpLongAgo();
    expect((await run("prune")).out).toMatch(/^Pruned 1 expired session and \d+ other rows?\.\n$/);
  });
});
