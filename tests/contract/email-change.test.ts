import { describe, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey, passkeySignIn } from "../support/login-methods/passkeys.ts";
import { linksIn, tokenIn } from "../support/mail/outbox.ts";
import { DAY, MINUTE } from "../support/requests/clock.ts";
import {
  expectNoContent,
  expectRefusal,
  expectSignedIn,
  expectSignedOut,
} from "../support/requests/expectations.ts";
import {
  activityOf,
  changeToken,
  expectStatus,
  freshEmail,
  isSignedIn,
  OTHER_PASSWORD,
  PASSWORD,
  type Person,
  resetToken,
  signIn,
  signUp,
  signUpConfirmed,
  trySignIn,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

describeOnEachEngine("A change of the address", (engine) => {
  const server = serverFor(engine);

  const ask = (person: Pick<Person, "client">, email: string) => changeToken(server(), person, email);

  const confirm = ({ client }: Pick<Person, "client">, token: string) =>
    client.post("/api/email-confirmations", { token });

  const takeBack = (token: string) => server().client().post("/api/email-reversals", { token });

  test("that is confirmed on another device leaves that one logged in, and the one that asked, which is named", async () => {
    const person = await signUpConfirmed(server());
    const confirming = await signIn(server(), person, UA.firefoxWindows);
    const third = await signIn(server(), person, UA.safariIphone);
    const email = freshEmail("new");
    expectNoContent(await confirm(confirming, await ask(person, email)));
    await expectSignedIn(person.client);
    await expectSignedIn(confirming.client);
    const { body } = await expectSignedOut(third.client, "email_changed");
    expect(body.by).toBe(person.session.label);
    const { label } = person.session;
    const entries = (await activityOf(person.client)).filter(({ kind }) => kind.startsWith("email_change"));
    expect(entries).toMatchObject([
      { kind: "email_changed", label, detail: { email } },
      { kind: "email_change_requested", label, detail: { email } },
    ]);
  });

  test("that the first address takes back can't be repeated from a later one", async () => {
    const owner = await signUpConfirmed(server());
    const thief = await signIn(server(), owner, UA.firefoxWindows);
    const [first, second] = [freshEmail("first"), freshEmail("second")];
    expectNoContent(await confirm(thief, await ask(thief, first)));
    const told = await server().outbox.withSubject(owner.email, "Your email address was changed");
    expect(told.text).toContain(first);
    const keep = tokenIn(told, "/keep-email");
    expectNoContent(await confirm(thief, await ask(thief, second)));
    const thiefs = await server().outbox.tokenFor(first, "/keep-email");
    expectNoContent(await takeBack(keep));
    expectRefusal(await takeBack(thiefs), 410, "link_expired");
    const token = await resetToken(server(), owner.email);
    expectNoContent(await server().client().put("/api/password-resets", { token, password: OTHER_PASSWORD }));
    const back = { email: owner.email, password: OTHER_PASSWORD };
    const { client } = await signIn(server(), back, UA.safariMac);
    const entries = (await activityOf(client)).filter(({ kind }) => kind === "email_changed");
    expect(entries.map(({ detail }) => detail.email)).toEqual([owner.email, second, first]);
  });

  test("that is taken back leaves the link of an earlier one, which takes back that one too", async () => {
    const owner = await signUpConfirmed(server());
    const [first, second] = [freshEmail("first"), freshEmail("second")];
    expectNoContent(await confirm(owner, await ask(owner, first)));
    const keep = await server().outbox.tokenFor(owner.email, "/keep-email");
    server().clock.advance(MINUTE);
    expectNoContent(await confirm(owner, await ask(owner, second)));
    expectNoContent(await takeBack(await server().outbox.tokenFor(first, "/keep-email")));
    expectNoContent(await takeBack(keep));
    const token = await resetToken(server(), owner.email);
    expectNoContent(await server().client().put("/api/password-resets", { token, password: OTHER_PASSWORD }));
    await signIn(server(), { email: owner.email, password: OTHER_PASSWORD }, UA.safariMac);
  });

  test("to an address that another account has left in the meantime isn't confirmed while it is reserved", async () => {
    const [owner, other] = [await signUpConfirmed(server()), await signUpConfirmed(server())];
    const wanted = freshEmail("wanted");
    const token = await ask(other, wanted);
    expectNoContent(await confirm(owner, await ask(owner, wanted)));
    expectNoContent(await confirm(owner, await ask(owner, freshEmail("left"))));
    expectRefusal(await confirm(other, token), 410, "link_expired");
    const again = await other.client.put("/api/account/email", { email: wanted, currentPassword: PASSWORD });
    expectStatus(202, again);
    const news = await server().outbox.withSubject(wanted, "Someone tried to use your email address");
    expect(linksIn(news)).toEqual([]);
    expectRefusal(
      await trySignIn(server().client(), { email: wanted, password: PASSWORD }),
      401,
      "wrong_credentials",
    );
  });

  test("from an address that was never confirmed leaves another account's link to that address", async () => {
    const wanted = freshEmail("wanted");
    const other = await signUpConfirmed(server());
    const token = await ask(other, wanted);
    const mistyped = await signUp(server(), { email: wanted });
    expectNoContent(await confirm(mistyped, await ask(mistyped, freshEmail("right"))));
    expectNoContent(await confirm(other, token));
  });

  describe("that was overtaken by a later one has a link that", () => {
    async function askedTwice() {
      const owner = await signUpConfirmed(server());
      await ask(owner, freshEmail("first"));
      const begun = server().clock.now();
      const keep = await server().outbox.tokenFor(owner.email, "/keep-email");
      server().clock.advance(DAY);
      expectNoContent(await owner.client.post("/api/session/proof", { currentPassword: PASSWORD }));
      const passkey = await addPasskey(server(), owner.client);
      server().clock.advance(MINUTE);
      return { owner, begun, keep, passkey, later: await ask(owner, freshEmail("later")) };
    }

    test("cancels the later one, too", async () => {
      const { owner, keep, later } = await askedTwice();
      expectNoContent(await takeBack(keep));
      expectRefusal(await confirm(owner, later), 410, "link_expired");
      await expectSignedIn(owner.client);
    });

    test("takes the address back once the later one was confirmed, and leaves what was set up before that", async () => {
      const { owner, keep, passkey, later } = await askedTwice();
      expectNoContent(await confirm(owner, later));
      expectNoContent(await takeBack(keep));
      await expectSignedOut(owner.client, "email_changed");
      const token = await server().outbox.tokenFor(owner.email, "/reset-password");
      const chosen = { token, password: OTHER_PASSWORD };
      expectNoContent(await server().client().put("/api/password-resets", chosen));
      const { email } = owner;
      await signIn(server(), { email, password: OTHER_PASSWORD }, UA.safariMac);
      expectStatus(201, await passkeySignIn(server().client(UA.firefoxWindows), passkey));
    });

    test("works for 7 days from its own email", async () => {
      const { owner, begun, keep, later } = await askedTwice();
      expectNoContent(await confirm(owner, later));
      server().clock.setTo(begun + 7 * DAY + MINUTE);
      expectRefusal(await takeBack(keep), 410, "link_expired");
    });
  });

  test("can be followed by one back to the address that is reserved for the same account", async () => {
    const person = await signUpConfirmed(server());
    expectNoContent(await confirm(person, await ask(person, freshEmail("new"))));
    expectNoContent(await confirm(person, await ask(person, person.email)));
    await signIn(server(), person, UA.safariMac);
  });

  test("that is taken back leaves the links that report a sign-in since then", async () => {
    const owner = await signUpConfirmed(server());
    const token = await ask(owner, freshEmail("new"));
    await signIn(server(), owner, UA.firefoxWindows);
    const report = await server().outbox.tokenFor(owner.email, "/not-me");
    expectNoContent(await confirm(owner, token));
    expectNoContent(await takeBack(await server().outbox.tokenFor(owner.email, "/keep-email")));
    expectNoContent(await server().client().post("/api/not-me", { token: report }));
  });

  test("that is taken back ends the links that were emailed to the address that it led to", async () => {
    const owner = await signUpConfirmed(server());
    const thief = await signIn(server(), owner, UA.firefoxWindows);
    const email = freshEmail("thief");
    expectNoContent(await confirm(thief, await ask(thief, email)));
    await signIn(server(), { email, password: PASSWORD }, UA.safariIphone);
    const report = await server().outbox.tokenFor(email, "/not-me");
    expectNoContent(await takeBack(await server().outbox.tokenFor(owner.email, "/keep-email")));
    expectRefusal(await server().client().post("/api/not-me", { token: report }), 410, "link_expired");
  });

  test("can be taken back for seven days after it was confirmed, and no longer", async () => {
    const [inTime, late] = [await signUpConfirmed(server()), await signUpConfirmed(server())];
    const changed = async (person: Person) => {
      const token = await ask(person, freshEmail("new"));
      const asked = await server().outbox.tokenFor(person.email, "/keep-email");
      server().clock.advance(MINUTE);
      expectNoContent(await confirm(person, token));
      return asked;
    };
    const [linkInTime, linkLate] = [await changed(inTime), await changed(late)];
    server().clock.advance(7 * DAY - 5 * MINUTE);
    expectNoContent(await takeBack(linkInTime));
    server().clock.advance(10 * MINUTE);
    expectRefusal(await takeBack(linkLate), 410, "link_expired");
    expect(await isSignedIn(late.client)).toBe(true);
  });

  test("isn't taken back if someone else has the address by now, though a clock has stepped back", async () => {
    const person = await signUpConfirmed(server());
    expectNoContent(await confirm(person, await ask(person, freshEmail("new"))));
    const keep = await server().outbox.tokenFor(person.email, "/keep-email");
    const before = server().clock.now();
    server().clock.advance(7 * DAY);
    const next = await signUp(server(), { email: person.email });
    server().clock.setTo(before);
    expectRefusal(await takeBack(keep), 410, "link_expired");
    await expectSignedIn(person.client);
    await expectSignedIn(next.client);
  });
});
