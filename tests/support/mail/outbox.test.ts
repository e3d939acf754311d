import { describe, expect, test } from "vitest";
import { writeEmails } from "../../../src/credentials/send-emails.ts";
import { describeOnEachEngine } from "../databases/engines.ts";
import { SECOND } from "../requests/clock.ts";
import {
  expectStatus,
  freshEmail,
  OTHER_PASSWORD,
  resetToken,
  signUp,
  verifyEmail,
} from "../requests/people.ts";
import { serverFor } from "../servers/server.ts";

const MANY = 30;

describeOnEachEngine("The tests' own view of the outbox", (engine) => {
  const server = serverFor(engine, { rateLimits: "off" });

  describe("a reset link that a test asks for", () => {
    test("is the one it asked for, while the email of a reversal, with a link of its own, is on its way", async () => {
      const { client, outbox, clock, latchkey } = server();
      const owner = await signUp(server());
      await verifyEmail(server(), owner);
      clock.advance(SECOND);
      const email = freshEmail("moved");
      const change = { email, currentPassword: owner.password };
      expectStatus(202, await owner.client.put("/api/account/email", change));
      const confirm = await outbox.tokenFor(email, "/confirm-email");
      expectStatus(204, await owner.client.post("/api/email-confirmations", { token: confirm }));
      const keep = await outbox.tokenFor(owner.email, "/keep-email");

      // The reversal's emails wait behind many others, and many more are between them and the next.
      const { parts } = latchkey;
      const message = { subject: "Filler", text: "x", html: "x" };
      const fillUp = async () => {
        const emails = Array.from({ length: MANY }, () => ({ to: freshEmail("other"), message }));
        await parts.database.write((write) => writeEmails(parts, write, emails, clock.now()));
      };
      await fillUp();
      expectStatus(204, await client().post("/api/email-reversals", { token: keep }));
      await fillUp();
      const token = await resetToken(server(), owner.email);
      const chosen = { token, password: OTHER_PASSWORD };
      expectStatus(204, await client().put("/api/password-resets", chosen));
    });
  });

  test("shows every email that an answer caused, even the last one", async () => {
    const { outbox, client } = server();
    const { email } = await signUp(server());
    for (let asked = 1; asked <= 5; asked += 1) {
      expectStatus(202, await client().post("/api/password-resets", { email }));
      const resets = (await outbox.to(email)).filter(({ subject }) => subject.includes("Reset"));
      expect(resets).toHaveLength(asked);
    }
  });
});
