import { afterAll, beforeAll, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey, passkeySignIn } from "../support/login-methods/passkeys.ts";
import { need } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import {
  expectNoContent,
  expectRefusal,
  expectSignedIn,
  expectSignedOut,
} from "../support/requests/expectations.ts";
import { activityOf, expectStatus, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";
import { Sites } from "./ways.ts";

const METHODS = "/api/account/login-methods";

describeOnEachEngine("Of two login methods of the same kind", (engine) => {
  let server: TestServer;
  let sites: Sites;
  beforeAll(async () => {
    sites = await Sites.start();
    server = await startServer({ engine, rateLimits: "off", oidc: sites.options });
  });
  afterAll(async () => {
    await server.close();
    sites.stop();
  });

  async function methodsOf(client: Client, kind: "passkey" | "oidc") {
    return need(await client.get(METHODS), "methods").filter((method) => method.kind === kind);
  }

  test("a passkey is renamed, and the other one keeps its name", async () => {
    const { client } = await signUp(server);
    await addPasskey(server, client);
    await addPasskey(server, client);
    const [first, second] = await methodsOf(client, "passkey");
    expectStatus(204, await client.put(`${METHODS}/${first?.id}`, { name: "Blue" }));
    const names = (await methodsOf(client, "passkey")).map(({ id, name }) => [id, name]);
    expect(new Map(names as [string, string][])).toEqual(
      new Map([
        [first?.id ?? "", "Blue"],
        [second?.id ?? "", "Key"],
      ]),
    );
  });

  test("a passkey is removed along with the sessions that it opened, and the other one stays, with its own", async () => {
    const { client, email } = await signUp(server);
    const goes = await addPasskey(server, client);
    const [gone] = await methodsOf(client, "passkey");
    const stays = await addPasskey(server, client);
    const [byGone, byOther] = [server.client(UA.firefoxLinux), server.client(UA.safariIphone)];
    expectStatus(201, await passkeySignIn(byGone, goes));
    expectStatus(201, await passkeySignIn(byOther, stays));
    expectNoContent(await client.delete(`${METHODS}/${gone?.id}`));
    await expectSignedOut(byGone, "method_removed");
    await expectSignedIn(byOther);
    expectRefusal(await passkeySignIn(server.client(), goes), 401, "wrong_passkey");
    const [removed, added] = (await activityOf(client)).filter(({ kind }) => kind.startsWith("method_"));
    expect(removed).toMatchObject({ kind: "method_removed", detail: { method: "passkey", name: "Key" } });
    expect(added).toMatchObject({ kind: "method_added", detail: { method: "passkey", name: "Key" } });
    await server.outbox.withSubject(email, "New login method: Key");
    expectStatus(201, await passkeySignIn(server.client(UA.edgeWindows), stays));
  });

  test("a site is removed, and the other one stays; the owner is told in the activity and by email", async () => {
    const { client, account, email } = await signUp(server);
    await sites.connect(client, "plain", account.id);
    await sites.connect(client, "trusted-mfa", account.id);
    const [goes, stays] = await methodsOf(client, "oidc");
    expectNoContent(await client.delete(`${METHODS}/${goes?.id}`));
    expect(await methodsOf(client, "oidc")).toEqual([stays]);
    const [removed, , added] = (await activityOf(client)).filter(({ kind }) => kind.startsWith("method_"));
    expect(removed).toMatchObject({
      kind: "method_removed",
      detail: { method: "oidc", name: goes?.name },
    });
    expect(added).toMatchObject({ kind: "method_added", detail: { method: "oidc", name: goes?.name } });
    await server.outbox.withSubject(email, `New login method: ${goes?.name}`);
    await server.outbox.withSubject(email, `Login method removed: ${goes?.name}`);
  });
});
