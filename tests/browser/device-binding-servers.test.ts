import { afterEach, describe, expect, it } from "vitest";
import {
  bindingSiteFor,
  boundCookie,
  canBind,
  dropBoundCookie,
  signUpBoundIn,
} from "../support/browsers/binding-browser.ts";
import { REFRESH, REGISTRATION } from "../support/browsers/bound-browser.ts";
import { engineNames } from "../support/databases/engine-names.ts";
import { engineOf, postgresAt } from "../support/databases/engines.ts";
import { FaultProxy } from "../support/databases/fault-proxy.ts";
import { serve, startPostgres } from "../support/databases/postgres.ts";
import { startServer } from "../support/servers/server.ts";

describe.skipIf(!canBind)("A session that a Chromium has bound goes on", () => {
  const site = bindingSiteFor();
  const cleanUp: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const undo of cleanUp.splice(0).reverse()) await undo();
  });

  const statuses = (path: string) => site.answers().flatMap((one) => (one.path === path ? [one.status] : []));

  it("through a restart of the server, with the page left open", async () => {
    const engine = engineOf("sqlite");
    const database = await engine.createDatabase();
    cleanUp.push(database.drop);
    const first = await startServer({ engine, database, baseUrl: site.url() });
    site.leadTo(() => first.port);
    const context = await site.browser("restart");
    const page = await signUpBoundIn(context, site.url());
    await first.close();
    const { secretKey } = first;
    const second = await startServer({ engine, database, baseUrl: site.url(), secretKey });
    cleanUp.push(second.close);
    site.leadTo(() => second.port);
    site.answers();
    for (let round = 0; round < 2; round++) {
      await page.reload();
      await page.getByText("Bound to this device").waitFor();
      await dropBoundCookie(context);
    }
    await page.reload();
    await page.getByText("Bound to this device").waitFor();
    expect(statuses(REFRESH)).toEqual([200, 200]);
  });

  it.runIf(engineNames().includes("postgres"))("when requests reach two nodes in turn", async () => {
    const engine = engineOf("postgres");
    const database = await engine.createDatabase();
    cleanUp.push(database.drop);
    const one = await startServer({ engine, database, baseUrl: site.url() });
    cleanUp.push(one.close);
    const { secretKey } = one;
    const other = await startServer({ engine, database, baseUrl: site.url(), secretKey });
    cleanUp.push(other.close);
    /**
     * Which nodes were asked, by path: they take turns for each path, and what follows the sign-up begins at
     * another node.
     */
    const asked = new Map<string, number[]>([["/api/accounts", [other.port]]]);
    site.leadTo(({ url = "" }) => {
      const [path = ""] = url.split("?");
      const before = asked.get(path) ?? [one.port];
      const port = before.at(-1) === one.port ? other.port : one.port;
      asked.set(path, [...before, port]);
      return port;
    });
    const context = await site.browser("nodes");
    const page = await signUpBoundIn(context, site.url());
    for (let round = 0; round < 4; round++) {
      await dropBoundCookie(context);
      await page.reload();
      await page.getByText("Bound to this device").waitFor();
    }
    expect(asked.get("/api/accounts")).toEqual([other.port, one.port]);
    expect(asked.get(REGISTRATION)).toEqual([one.port, other.port]);
    expect(new Set(asked.get(REFRESH)?.slice(1))).toEqual(new Set([one.port, other.port]));
  });

  it.runIf(engineNames().includes("postgres"))(
    "through a database that is killed during a refresh: nobody is logged out, and the refresh succeeds later",
    async () => {
      const killed = await startPostgres();
      const target = new URL(killed.url);
      const proxy = await FaultProxy.start(target);
      cleanUp.push(killed.stop, () => proxy.stop());
      const database = await postgresAt(killed.url).createDatabase();
      const server = await startServer({
        engine: engineOf("postgres"),
        database: { ...database, url: proxy.through(database.url) },
        baseUrl: site.url(),
      });
      cleanUp.push(server.close);
      site.leadTo(() => server.port);
      const context = await site.browser("outage");
      const page = await signUpBoundIn(context, site.url());
      site.answers();

      let isRefreshing = false;
      site.leadTo(({ url }) => {
        isRefreshing ||= url === REFRESH;
        return server.port;
      });
      await dropBoundCookie(context);
      const answers = proxy.hold();
      const reloaded = page.reload();
      await expect.poll(() => isRefreshing && answers.text.includes("binding_key")).toBe(true);
      await killed.kill();
      answers.letGo();
      expect((await reloaded)?.status()).toBe(503);
      expect(statuses(REFRESH)).toContain(503);
      expect(await boundCookie(context, site.url())).toBeUndefined();

      const again = await serve(killed.place, target.password);
      target.port = new URL(again.url).port;
      await page.reload();
      await page.getByText("Bound to this device").waitFor();
      expect(statuses(REFRESH)).toContain(200);
    },
  );
});
