import { beforeEach, describe, expect, test } from "vitest";
import { prune } from "../../src/sessions/prune.ts";
import { engineNames } from "../support/databases/engine-names.ts";
import { engineOf } from "../support/databases/engines.ts";
import { expectNoContent } from "../support/requests/expectations.ts";
import { expectStatus, signIn, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { twoNodesFor } from "../support/servers/two-nodes.ts";

/** Transaction numbers of a server that had many more transactions than this one ever will. */
const ITS_NUMBER = "9000000000";

describe.runIf(engineNames().includes("postgres"))(
  "A PostgreSQL that was filled from a dump of another one",
  () => {
    const nodes = twoNodesFor(engineOf("postgres"));
    const count = async () =>
      Number((await nodes().server.database.read("select count(*) from session_change"))[0]?.count);
    const pruneNow = () => prune(nodes().server.latchkey.parts, nodes().server.clock.now());

    beforeEach(async () => {
      const { database } = nodes().server;
      for (const sql of [
        `insert into session_change (xid, ids) select '${ITS_NUMBER}'::xid8, 'n' || n from generate_series(1, 500) n`,
        "delete from session_change_mark",
        `insert into session_change_mark values ('${ITS_NUMBER}'::xid8, statement_timestamp() - interval '1 day')`,
      ])
        await database.read(sql);
    });

    test("keeps notes of changes until every node has heard of them", async () => {
      const owner = await signUp(nodes().server);
      const { client, session } = await signIn(nodes().server, owner, UA.firefoxWindows);
      const far = nodes().browser(1, UA.firefoxWindows);
      far.token = client.token;
      for (let check = 0; check < 3; check++) expectNoContent(await far.get("/verify"));
      expectStatus(204, await owner.client.delete(`/api/sessions/${session.id}`));
      await pruneNow();
      expect((await far.get("/verify")).status).toBe(401);
    });

    test("keeps no note from the other one, which would come with every answer for ever", async () => {
      await pruneNow();
      expect(await count()).toBeLessThan(500);
      await nodes().server.database.read("update session_change_mark set at = at - interval '1 hour'");
      await pruneNow();
      expect(await count()).toBe(0);
    });
  },
);
