import { expect, test } from "vitest";
import { signUpBound } from "../support/browsers/bound-browser.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { DAY } from "../support/requests/clock.ts";
import { expectSignedIn } from "../support/requests/expectations.ts";
import { activityOf } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

const DAYS = 2;
const USES_A_DAY = 5_000;
const AT_ONCE = 50;

describeOnEachEngine("A stolen cookie of a bound session that is used 10,000 times", (engine) => {
  const server = serverFor(engine, { baseUrl: "https://app.example.test", rateLimits: "off" });

  test("is reported in one email and one line of the history a day, and never lets anyone in", async () => {
    const { client, browser, email } = await signUpBound(server());
    const thief = server().client(UA.firefoxLinux);
    thief.jar.set("__Host-latchkey", client.token);
    const statuses = new Set<number>();
    for (let day = 0; day < DAYS; day++) {
      if (day > 0) server().clock.advance(DAY);
      for (let round = 0; round < USES_A_DAY / AT_ONCE; round++) {
        const answers = Array.from({ length: AT_ONCE }, () => thief.get("/api/session"));
        for (const { status } of await Promise.all(answers)) statuses.add(status);
      }
    }
    expect([...statuses]).toEqual([401]);
    await browser.refresh();
    await expectSignedIn(client);
    const told = (await server().outbox.to(email)).filter(({ subject }) => subject.includes("A copy of"));
    expect(told).toHaveLength(DAYS);
    const lines = (await activityOf(client)).filter(({ kind }) => kind === "cookie_copy_used");
    expect(lines).toHaveLength(DAYS);
  }, 120_000);
});
