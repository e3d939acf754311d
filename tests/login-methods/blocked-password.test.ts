import { afterAll, beforeAll, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey, passkeySignIn } from "../support/login-methods/passkeys.ts";
import { MINUTE } from "../support/requests/clock.ts";
import { expectNoContent, expectRefusal } from "../support/requests/expectations.ts";
import {
  expectStatus,
  freshEmail,
  OTHER_PASSWORD,
  PASSWORD,
  signUp,
  verifyEmail,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

describeOnEachEngine(
  "A password that is blocked because a change of the address was taken back",
  (engine) => {
    let server: TestServer;
    beforeAll(async () => {
      server = await startServer({ engine, rateLimits: "off" });
    });
    afterAll(() => server.close());

    test("proves nothing in a session that a passkey opened, until it is reset", async () => {
      const owner = await signUp(server);
      const { client, email } = owner;
      await verifyEmail(server, owner);
      const passkey = await addPasskey(server, client);
      const other = freshEmail("other");
      expectStatus(202, await client.put("/api/account/email", { email: other, currentPassword: PASSWORD }));
      const confirmation = await server.outbox.tokenFor(other, "/confirm-email");
      expectNoContent(await client.post("/api/email-confirmations", { token: confirmation }));
      const reversal = await server.outbox.tokenFor(email, "/keep-email");
      expectNoContent(await server.client().post("/api/email-reversals", { token: reversal }));

      const again = server.client(UA.safariMac);
      expectStatus(201, await passkeySignIn(again, passkey));
      const asked = { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD };
      expectRefusal(await again.put("/api/account/password", asked), 403, "wrong_password");
      const moved = { email: freshEmail("moved"), currentPassword: PASSWORD };
      expectRefusal(await again.put("/api/account/email", moved), 403, "wrong_password");

      // Nor is it offered as a proof once the sign-in is too old to count as one.
      server.clock.advance(11 * MINUTE);
      const stale = await again.post("/api/passkeys/options");
      expectRefusal(stale, 403, "proof_needed");
      expect(stale.body).toMatchObject({ methods: ["passkey"] });

      const reset = await server.outbox.tokenFor(email, "/reset-password");
      expectNoContent(
        await server.client().put("/api/password-resets", { token: reset, password: OTHER_PASSWORD }),
      );
      const after = server.client(UA.safariMac);
      expectStatus(201, await passkeySignIn(after, passkey));
      expectStatus(202, await after.put("/api/account/email", { ...moved, currentPassword: OTHER_PASSWORD }));
      expect(await server.outbox.tokenFor(moved.email, "/confirm-email")).not.toBe("");
    });
  },
);
