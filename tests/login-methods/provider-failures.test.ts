import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engineOf, type TestDatabase } from "../support/databases/engines.ts";
import {
  CLIENT_ID,
  CLIENT_SECRET,
  type Lie,
  LyingProvider,
  sendJson,
} from "../support/login-methods/lying-provider.ts";
import { header } from "../support/requests/answers.ts";
import { expectStatus } from "../support/requests/people.ts";
import { freePort } from "../support/servers/free-port.ts";
import { startInOwnProcess } from "../support/servers/own-process.ts";

const NAMED = "someone@example.test";

const LIES: Record<string, Lie> = {
  "refuses-the-client": {
    answer: {
      token: (response) =>
        sendJson(response, { error: "invalid_client", error_description: `${NAMED} may not` }, 400),
    },
  },
  "refuses-with-a-challenge": {
    answer: {
      token: (response) => {
        response.setHeader("WWW-Authenticate", `Basic realm="a", error="invalid_client"`);
        sendJson(response, { error: "invalid_client" }, 401);
      },
    },
  },
  "refuses-the-scope": {
    back: (url) => {
      url.searchParams.delete("code");
      url.searchParams.set("error", "invalid_scope");
      url.searchParams.set("error_description", `${NAMED} may not`);
    },
  },
  "says-more-than-a-code": {
    back: (url) => {
      url.searchParams.delete("code");
      url.searchParams.set("error", `${NAMED} may not`);
    },
  },
  "has-another-name": { metadata: (metadata) => ({ ...metadata, issuer: `${metadata.issuer}/realm` }) },
};

describe("The log tells the operator why a provider", () => {
  let database: TestDatabase;
  let provider: LyingProvider;
  let node: Awaited<ReturnType<typeof startInOwnProcess>>;
  beforeAll(async () => {
    database = await engineOf("sqlite").createDatabase();
    provider = await LyingProvider.start(LIES);
    const own = { clientId: CLIENT_ID, clientSecret: CLIENT_SECRET };
    const oidc = Object.keys(LIES).map((id) => ({ id, issuer: provider.issuer(id), ...own }));
    node = await startInOwnProcess({
      databaseUrl: database.url,
      outbox: join(database.folder, "outbox"),
      oidc: [...oidc, { id: "is-down", issuer: `http://localhost:${await freePort()}`, ...own }],
    });
  });
  afterAll(async () => {
    await node.stop();
    provider.stop();
    await database.drop();
  });

  test.each([
    ["refuses-the-client", "invalid_client"],
    ["refuses-with-a-challenge", "invalid_client"],
    ["refuses-the-scope", "invalid_scope"],
    ["says-more-than-a-code", "error"],
    ["has-another-name", "/has-another-name/realm"],
    ["is-down", "ECONNREFUSED"],
  ])("%s", async (id, why) => {
    const client = node.client();
    const away = header(expectStatus(302, await client.get(`/api/oidc/${id}/start`)), "location");
    if (away.startsWith(provider.issuer(id))) {
      const { pathname, search } = new URL(provider.back(away, id));
      await client.get(pathname + search);
    }
    await expect.poll(() => node.log().find((line) => line.includes(`"provider":"${id}"`))).toContain(why);
    expect(node.log().join("\n")).not.toContain(NAMED);
  });
});
