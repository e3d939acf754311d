import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { DAY, MINUTE } from "../support/requests/clock.ts";
import {
  expectNoContent,
  expectRefusal,
  expectSignedIn,
  expectSignedOut,
} from "../support/requests/expectations.ts";
import {
  expectStatus,
  freshEmail,
  isSignedIn,
  OTHER_PASSWORD,
  PASSWORD,
  type Person,
  resetToken,
  signIn,
  signUpConfirmed,
  trySignIn,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

describeOnEachEngine("A change of the address", (engine) => {
  const server = serverFor(engine);

  async function ask({ client }: Pick<Person, "client">, email: string): Promise<string> {
    expectStatus(202, await client.put("/api/account/email", { email, currentPassword: PASSWORD }));
    return server().outbox.tokenFor(email, "/confirm-email");
  }

  const confirm = ({ client }: Pick<Person, "client">, token: string) =>
    client.post("/api/email-confirmations", { token });

  const takeBack = (token: string) => server().client().post("/api/email-reversals", { token });

  test("that is confirmed on another device leaves that one logged in, and the one that asked", async () => {
    const person = await signUpConfirmed(server());
    const confirming = await signIn(server(), person, UA.firefoxWindows);
    const third = await signIn(server(), person, UA.safariIphone);
    expectNoContent(await confirm(confirming, await ask(person, freshEmail("new"))));
    await expectSignedIn(person.client);
    await expectSignedIn(confirming.client);
    await expectSignedOut(third.client, "email_changed");
  });

  test("that the first address takes back can't be brought about again from a later one", async () => {
    const owner = await signUpConfirmed(server());
    const thief = await signIn(server(), owner, UA.firefoxWindows);
    const [first, second] = [freshEmail("first"), freshEmail("second")];
    expectNoContent(await confirm(thief, await ask(thief, first)));
    const keep = await server().outbox.tokenFor(owner.email, "/keep-email");
    expectNoContent(await confirm(thief, await ask(thief, second)));
    const thiefs = await server().outbox.tokenFor(first, "/keep-email");
    expectNoContent(await takeBack(keep));
    expectRefusal(await takeBack(thiefs), 410, "link_expired");
    const token = await resetToken(server(), owner.email);
    expectNoContent(await server().client().put("/api/password-resets", { token, password: OTHER_PASSWORD }));
    await signIn(server(), { email: owner.email, password: OTHER_PASSWORD }, UA.safariMac);
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
    expectRefusal(
      await trySignIn(server().client(), { email: wanted, password: PASSWORD }),
      401,
      "wrong_credentials",
    );
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
});
