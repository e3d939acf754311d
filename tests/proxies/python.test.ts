import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exchange } from "../support/requests/exchange.ts";
import { expectNoContent, expectRefusal } from "../support/requests/expectations.ts";
import { signIn, signUp, verifyEmail } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { systemProgram } from "../support/runs/system-program.ts";
import { freePort } from "../support/servers/free-port.ts";
import { type Behind, startBehind } from "./behind.ts";
import { type Example, type Running, startExample } from "./examples.ts";
import { NGINX } from "./proxies.ts";

const NOTES: Example = {
  name: "python3",
  debianPackage: "python3",
  folder: "python",
  file: "notes.py",
  stopSignal: "SIGKILL",
  run: async (program, folder, file) => spawn(program, [join(folder, file)]),
};

const FORM = { "Content-Type": "application/x-www-form-urlencoded" };

const python = await systemProgram(NOTES.name, NOTES.debianPackage);
const nginx = await systemProgram(NGINX.name, NGINX.debianPackage);

describe.skipIf(python === null || nginx === null)("An app in another language", () => {
  let behind: Behind;
  let notes: Running;
  let port = 0;
  beforeAll(async () => {
    port = await freePort();
    notes = await startExample(NOTES, python ?? "", "app", { app: port });
    behind = await startBehind(NGINX, nginx ?? "", { appPort: port });
  });
  afterAll(async () => {
    await behind?.stop();
    await notes?.stop();
  });

  test("keeps each person's notes apart, by account, whether or not the address is confirmed, and shows what they wrote as text", async () => {
    const { server, ask } = behind;
    const [one, other] = [await signUp(server), await signUp(server)];
    const body = "note=%3Cb%3EMilk%3C%2Fb%3E";
    expect((await ask(one.client, "/", { method: "POST", headers: FORM, body })).status).toBe(303);
    const page = await ask(one.client, "/");
    expect(page.status).toBe(200);
    expect(page.text).not.toContain("Signed in as");
    expect(page.text).toContain("&lt;b&gt;Milk&lt;/b&gt;");
    expect((await ask(other.client, "/")).text).not.toContain("Milk");
    await verifyEmail(server, one);
    const confirmed = await ask(one.client, "/");
    expect(confirmed.text).toContain(`Signed in as ${one.email}`);
    expect(confirmed.text).toContain("Milk");
  });

  test("refuses an ended session at its next request, and a stranger always", async () => {
    const { server, ask } = behind;
    const person = await signUp(server);
    const other = await signIn(server, person, UA.firefoxWindows);
    expect((await ask(other.client, "/")).text).toContain("Your notes");
    expectNoContent(await person.client.delete(`/api/sessions/${other.session.id}`));
    const body = "note=late";
    expectRefusal(await ask(other.client, "/", { method: "POST", headers: FORM, body }), 401, "signed_out");
    expect((await ask(person.client, "/")).text).not.toContain("late");
    expectRefusal(
      await ask(null, "/", { headers: { "Remote-Account": person.account.id } }),
      401,
      "signed_out",
    );
  });

  test("shows no notes to someone who reaches it without the proxy's name for them", async () => {
    expect((await exchange({ port, method: "GET", path: "/", headers: {} })).status).toBe(401);
    const body = "note=x";
    expect((await exchange({ port, method: "POST", path: "/", headers: FORM, body })).status).toBe(401);
  });
});
