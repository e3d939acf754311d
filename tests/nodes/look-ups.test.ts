import { describe, expect, test } from "vitest";
import { engineNames } from "../support/databases/engine-names.ts";
import { engineOf } from "../support/databases/engines.ts";
import { FaultProxy } from "../support/databases/fault-proxy.ts";
import { expectNoContent, expectSignedOut } from "../support/requests/expectations.ts";
import { signIn, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startServer } from "../support/servers/server.ts";

/** As in the answer to what has changed: the oldest transaction under way, the next one, and a list. */
const A_SNAPSHOT = /\d+:\d+:/;

describe.runIf(engineNames().includes("postgres"))("A look-up on PostgreSQL", () => {
  test.each(["a session that is remembered", "a session that was never checked"])(
    "for %s is never answered by one that began earlier, before the session ended",
    async (which) => {
      const engine = engineOf("postgres");
      const ending = await startServer({ engine });
      const { database, secretKey } = ending;
      const proxy = await FaultProxy.start(new URL(database.url));
      const through = { ...database, url: proxy.through(database.url) };
      const checking = await startServer({ engine, database: through, secretKey });
      const person = await signUp(ending);
      const { client, session } = await signIn(ending, person, UA.firefoxWindows);
      const browser = () => {
        const same = checking.client(UA.firefoxWindows);
        same.token = client.token;
        return same;
      };
      const other = checking.client();
      other.token = person.client.token;
      expectNoContent(await other.get("/verify"));
      const isRemembered = which === "a session that is remembered";
      if (isRemembered)
        for (let checks = 0; checks < 3; checks++) expectNoContent(await browser().get("/verify"));

      const answers = proxy.hold();
      const before = browser().get("/verify");
      if (isRemembered) await expect.poll(() => answers.text).toMatch(A_SNAPSHOT);
      else await expect.poll(() => answers.text).toContain(session.id);
      expect(answers.text.includes(session.id)).toBe(!isRemembered);
      expectNoContent(await person.client.delete(`/api/sessions/${session.id}`));
      const after = browser();
      const asked = after.get("/verify");
      // Both wait for the next query.
      const third = browser().get("/verify");
      // Once the server answers what was sent later, it has read what was sent before.
      for (let times = 0; times < 3; times++) expect((await browser().get("/healthz")).status).toBe(200);
      answers.letGo();
      expect((await before).status).toBe(204);
      expect([(await asked).status, (await third).status]).toEqual([401, 401]);
      await expectSignedOut(after, "signed_out_remotely");
      await checking.close();
      await proxy.stop();
      await ending.close();
    },
  );
});
