import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type EndingEvent, EVENTS } from "../../src/sessions/endings.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { codeAt } from "../support/login-methods/totp.ts";
import {
  expectNoContent,
  expectRefusal,
  expectSignedIn,
  expectSignedOut,
} from "../support/requests/expectations.ts";
import {
  activityOf,
  changeAddress,
  type Device,
  expectStatus,
  freshEmail,
  halfSignIn,
  OTHER_PASSWORD,
  PASSWORD,
  type Person,
  resetToken,
  signIn,
  signUp,
  turnOnTwoFactor,
  verifyEmail,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor, type TestServer } from "../support/servers/server.ts";

type Scene = { server: TestServer; person: Person; other: Device; third: Device };

type Row = {
  event: string;
  /** Its row in the table in code; null if it ends nothing at all. */
  row: EndingEvent | null;
  /** Triggers it, from the person's own device. */
  happen: (scene: Scene) => Promise<void>;
  own: "lives" | string;
  other: "lives" | string;
  third: "lives" | string;
  by?: string;
};

const MAC = "Chrome on Mac OS";

/** The product's table "Which event ends which sessions". */
const ROWS: Row[] = [
  {
    event: "one's own log-out",
    row: "logged_out",
    happen: async ({ person }) => expectNoContent(await person.client.delete("/api/session")),
    own: "none",
    other: "lives",
    third: "lives",
  },
  {
    event: "log-out on a row (S5)",
    row: "logged_out_remotely",
    happen: async ({ person, other }) =>
      expectNoContent(await person.client.delete(`/api/sessions/${other.session.id}`)),
    own: "lives",
    other: "signed_out_remotely",
    third: "lives",
    by: MAC,
  },
  {
    event: "log out other devices (S6)",
    row: "others_logged_out",
    happen: async ({ person }) => {
      expect(expectStatus(200, await person.client.delete("/api/sessions")).body).toEqual({ ended: 2 });
    },
    own: "lives",
    other: "signed_out_remotely",
    third: "signed_out_remotely",
    by: MAC,
  },
  {
    event: "password changed (S7)",
    row: "password_changed",
    happen: async ({ person }) => {
      const body = { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD };
      expectNoContent(await person.client.put("/api/account/password", body));
    },
    own: "lives",
    other: "password_changed",
    third: "password_changed",
    by: MAC,
  },
  {
    event: "email change confirmed (S8)",
    row: "email_changed",
    happen: ({ server, person }) => changeAddress(server, person),
    own: "lives",
    other: "email_changed",
    third: "email_changed",
    by: MAC,
  },
  {
    event: "email change taken back by the old address",
    row: "email_change_reversed",
    happen: async ({ server, person }) => {
      await changeAddress(server, person);
      const keep = await server.outbox.tokenFor(person.email, "/keep-email");
      expectNoContent(await server.client(UA.safariMac).post("/api/email-reversals", { token: keep }));
    },
    own: "email_changed",
    other: "email_changed",
    third: "email_changed",
  },
  {
    event: "asking for an email change",
    row: null,
    happen: async ({ person }) => {
      const body = { email: freshEmail(), currentPassword: PASSWORD };
      expectStatus(202, await person.client.put("/api/account/email", body));
    },
    own: "lives",
    other: "lives",
    third: "lives",
  },
  {
    event: "password reset by email (S14)",
    row: "password_reset",
    happen: async ({ server, person }) => {
      const token = await resetToken(server, person.email);
      expectNoContent(
        await server.client(UA.safariMac).put("/api/password-resets", { token, password: OTHER_PASSWORD }),
      );
    },
    own: "password_reset",
    other: "password_reset",
    third: "password_reset",
    by: "Safari on Mac OS",
  },
  {
    event: "sign-in again from the same browser and OS (S12)",
    row: "signed_in_again",
    happen: async ({ server, person }) => {
      await signIn(server, person, UA.chromeMacNewer);
    },
    own: "replaced",
    other: "lives",
    third: "lives",
    by: MAC,
  },
  {
    event: "2FA turned on",
    row: "two_factor_turned_on",
    happen: async ({ server, person }) => {
      await turnOnTwoFactor(server, person);
    },
    own: "lives",
    other: "lives",
    third: "lives",
  },
  {
    event: "account deleted",
    row: "account_closed",
    happen: async ({ person }) =>
      expectNoContent(await person.client.delete("/api/account", { currentPassword: PASSWORD })),
    own: "none",
    other: "account_closed",
    third: "account_closed",
    by: MAC,
  },
  {
    event: '"This wasn\'t me", from the new-device email of the other',
    row: "session_reported",
    happen: async ({ server, person, other }) => {
      const mail = await server.outbox.withSubject(person.email, `New sign-in: ${other.session.label}`);
      const token = /\/not-me#token=([\w-]+)/.exec(mail.text)?.[1];
      expectNoContent(await server.client(UA.safariMac).post("/api/not-me", { token }));
    },
    own: "lives",
    other: "reported",
    third: "lives",
    by: "Safari on Mac OS",
  },
];

/** The rows of the table in code that other tests trigger. */
const ELSEWHERE = {
  all_logged_out: "cli/commands.test.ts",
  everyone_logged_out: "races/lock-order.test.ts",
  signed_in_over_cookie: "contract/sign-in.test.ts",
  signed_in_without_proof: "contract/device-binding.test.ts",
  other_account_signed_in: "contract/sign-in.test.ts",
  too_many_sessions: "limits/many-sessions.test.ts",
  two_factor_reset: "cli/commands.test.ts",
  method_removed: "login-methods/reported.test.ts",
  expired: "contract/expiry.test.ts",
  idle: "contract/expiry.test.ts",
  account_disowned: "login-methods/whose-account.test.ts",
} as const satisfies Partial<Record<EndingEvent, string>>;

describe("The table in code", () => {
  test("has a row for each event here, and no row that no test triggers", () => {
    const here = ROWS.flatMap(({ row }) => row ?? []);
    expect([...here, ...Object.keys(ELSEWHERE)].sort()).toEqual(Object.keys(EVENTS).sort());
    for (const file of Object.values(ELSEWHERE))
      expect(existsSync(join(import.meta.dirname, "..", file)), file).toBe(true);
  });

  test.each(ROWS.filter(({ row }) => row !== null))("gives the reason that devices hear: $event", (scene) => {
    const { row, own, other, third } = scene;
    const heard = [own, other, third].find((fate) => fate !== "lives" && fate !== "none");
    const reason = row && EVENTS[row].reason;
    // A browser that logs out has no cookie left to be told with.
    expect(reason === "signed_out" ? undefined : (reason ?? undefined)).toBe(heard);
  });
});

describeOnEachEngine("Which event ends which sessions", (engine) => {
  const server = serverFor(engine);

  async function scene(): Promise<Scene> {
    const person = await signUp(server());
    await verifyEmail(server(), person);
    const other = await signIn(server(), person, UA.firefoxWindows);
    const third = await signIn(server(), person, UA.safariIphone);
    return { server: server(), person, other, third };
  }

  test.each(ROWS)("$event", async ({ happen, own, other, third, by }) => {
    const set = await scene();
    // Each has made a request before: what the server remembers of it must not outlive the event.
    for (const { client } of [set.person, set.other, set.third]) await expectSignedIn(client);
    await happen(set);
    for (const [client, fate] of [
      [set.person.client, own],
      [set.other.client, other],
      [set.third.client, third],
    ] as const) {
      if (fate === "lives") await expectSignedIn(client);
      else {
        const { body } = await expectSignedOut(client, fate);
        if (fate !== "none" && by) expect(body).toMatchObject({ by, at: expect.stringMatching(/Z$/) });
      }
    }
  });

  test("every ended session is in the activity, with device and cause, as many times as it ended", async () => {
    const { person } = await scene();
    await person.client.delete("/api/sessions");
    const ended = (await activityOf(person.client)).filter(({ kind }) => kind === "session_ended");
    expect(ended.map(({ label, detail }) => ({ label, detail }))).toEqual(
      expect.arrayContaining([
        { label: "Firefox on Windows", detail: { reason: "signed_out_remotely", by: MAC } },
        { label: "Safari on iOS", detail: { reason: "signed_out_remotely", by: MAC } },
      ]),
    );
    expect(ended).toHaveLength(2);
  });

  describe("a pending sign-in ends", () => {
    const ENDERS: [string, (person: Person) => Promise<void>][] = [
      [
        "with the password",
        async ({ client }) =>
          expectNoContent(
            await client.put("/api/account/password", {
              currentPassword: PASSWORD,
              newPassword: OTHER_PASSWORD,
            }),
          ),
      ],
      [
        "with Log out other devices",
        async ({ client }) => {
          expectStatus(200, await client.delete("/api/sessions"));
        },
      ],
      [
        "with a reset",
        async ({ email }) => {
          const token = await resetToken(server(), email);
          expectNoContent(
            await server().client().put("/api/password-resets", { token, password: OTHER_PASSWORD }),
          );
        },
      ],
      [
        "with the account",
        async ({ client }) =>
          expectNoContent(await client.delete("/api/account", { currentPassword: PASSWORD })),
      ],
    ];

    test.each(ENDERS)("%s", async (_how, end) => {
      const person = await signUp(server());
      const { secret } = await turnOnTwoFactor(server(), person);
      const half = await halfSignIn(server(), person, UA.firefoxWindows);
      await end(person);
      const code = codeAt(secret, server().clock.now());
      expectRefusal(await half.post("/api/session/two-factor", { code }), 401, "sign_in_expired");
    });
  });

  test("a confirmed email change ends the links that were emailed to the old address", async () => {
    const person = await signUp(server());
    await verifyEmail(server(), person);
    const reset = await resetToken(server(), person.email);
    const email = freshEmail("new");
    await changeAddress(server(), person, email);
    const body = { token: reset, password: OTHER_PASSWORD };
    expectRefusal(await server().client().put("/api/password-resets", body), 410, "link_expired");
    await signIn(server(), { email, password: PASSWORD }, UA.safariMac);
  });

  test("a password change ends emailed links, but never the owner's rescue", async () => {
    const person = await signUp(server());
    await verifyEmail(server(), person);
    const thief = await signIn(server(), person, UA.firefoxWindows);
    const notMe = await server().outbox.tokenFor(person.email, "/not-me");
    const reset = await resetToken(server(), person.email);
    const newEmail = freshEmail("thief");
    expectStatus(
      202,
      await thief.client.put("/api/account/email", { email: newEmail, currentPassword: PASSWORD }),
    );
    const confirm = await server().outbox.tokenFor(newEmail, "/confirm-email");
    const keep = await server().outbox.tokenFor(person.email, "/keep-email");
    const body = { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD };
    expectNoContent(await person.client.put("/api/account/password", body));
    const anyone = server().client();
    expectRefusal(
      await anyone.put("/api/password-resets", { token: reset, password: PASSWORD }),
      410,
      "link_expired",
    );
    expectRefusal(await anyone.post("/api/email-confirmations", { token: confirm }), 410, "link_expired");
    expectNoContent(await anyone.post("/api/not-me", { token: notMe }));
    expectNoContent(await anyone.post("/api/email-reversals", { token: keep }));
    await expectSignedIn(person.client);
  });
});
