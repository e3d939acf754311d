import { once } from "node:events";
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { SessionEnded } from "../../src/index.ts";
import { prune } from "../../src/sessions/prune.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { DAY, HOUR, MINUTE } from "../support/requests/clock.ts";
import { expectNoContent } from "../support/requests/expectations.ts";
import { OTHER_PASSWORD, PASSWORD, signIn, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { latchkey as run } from "../support/servers/command-line.ts";
import { serverFor, type TestServer } from "../support/servers/server.ts";

/** What an app hears, one after another. */
function listenTo({ latchkey }: Pick<TestServer, "latchkey">) {
  const heard: SessionEnded[] = [];
  let wake = () => {};
  const stop = latchkey.on("session-ended", (ended) => {
    heard.push(ended);
    wake();
  });
  return {
    heard,
    stop,
    /** Waits until the app has heard of a session. */
    async of(sessionId: string): Promise<SessionEnded> {
      for (;;) {
        const found = heard.find((one) => one.sessionId === sessionId);
        if (found) return found;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

describeOnEachEngine("In code", (engine) => {
  const server = serverFor(engine);
  let listening: ReturnType<typeof listenTo> | undefined;
  afterEach(() => listening?.stop());

  /** A request as a current framework passes it on. */
  const requestOf = (token: string) =>
    new Request(`${server().baseUrl}/notes`, { headers: { Cookie: `latchkey=${token}` } });

  test("authenticate says who a request comes from, or why from nobody", async () => {
    const person = await signUp(server());
    const { latchkey } = server();
    expect(await latchkey.authenticate(requestOf(person.client.token))).toMatchObject({
      account: { id: person.account.id, email: person.email },
      session: { id: person.session.id, label: "Chrome on Mac OS", current: true },
    });
    expect(await latchkey.authenticate(requestOf(""))).toEqual({ reason: "none" });
    expect(await latchkey.sessions.end(person.session.id, "an admin")).toBe(true);
    expect(await latchkey.sessions.end(person.session.id)).toBe(false);
    expect(await latchkey.authenticate(requestOf(person.client.token))).toMatchObject({
      reason: "signed_out_remotely",
      by: "an admin",
    });
  });

  test("authenticate takes Node's own request, such as a WebSocket's", async () => {
    const person = await signUp(server());
    const app = createServer().on("upgrade", async (request, socket) => {
      const who = await server().latchkey.authenticate(request);
      const status = who.account ? "101 Switching Protocols" : "401 Unauthorized";
      const facts = who.account ? who.account.email : who.reason;
      socket.end(
        `HTTP/1.1 ${status}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Who: ${facts}\r\n\r\n`,
      );
    });
    await once(app.listen(0, "127.0.0.1"), "listening");
    const { port } = app.address() as AddressInfo;
    const answered = async (cookie: string) => {
      const headers = { Connection: "Upgrade", Upgrade: "websocket", Cookie: cookie };
      const asked = get({ host: "127.0.0.1", port, headers });
      const [answer] = await Promise.race([once(asked, "upgrade"), once(asked, "response")]);
      asked.destroy();
      return [answer.statusCode, answer.headers["x-who"]];
    };
    expect(await answered(person.client.jar.header())).toEqual([101, person.email]);
    expect(await answered("other=1")).toEqual([401, "none"]);
    app.close();
  });

  test("sessions are listed, and ended one by one, all others, or all", async () => {
    const person = await signUp(server());
    const { sessions } = server().latchkey;
    const phone = await signIn(server(), person, UA.safariIphone);
    const laptop = await signIn(server(), person, UA.edgeWindows);
    const ids = (await sessions.list(person.account.id)).map(({ id }) => id);
    expect(ids.toSorted()).toEqual([person.session.id, phone.session.id, laptop.session.id].toSorted());
    expect(await sessions.endOthers(person.account.id, laptop.session.id)).toBe(2);
    expect((await sessions.list(person.account.id)).map(({ id }) => id)).toEqual([laptop.session.id]);
    expect(await sessions.endAll(person.account.id)).toBe(1);
    expect(await sessions.list(person.account.id)).toEqual([]);
  });

  test("a clock with fractions of a millisecond, like performance.now(), is as good as one without", async () => {
    const { clock } = server();
    clock.stopAt(clock.now() + 0.5);
    const person = await signUp(server());
    const other = await signIn(server(), person, UA.firefoxWindows);
    expectNoContent(await other.client.delete(`/api/sessions/${person.session.id}`));
    clock.setTo(Date.now());
  });

  test("an id that no session can have ends nothing", async () => {
    for (const id of ["", "none", "\0", "a\0b"]) expect(await server().latchkey.sessions.end(id)).toBe(false);
  });

  test("an app hears once of every session that ends, with its reason, whoever ended it", async () => {
    const person = await signUp(server());
    const phone = await signIn(server(), person, UA.safariIphone);
    const laptop = await signIn(server(), person, UA.edgeWindows);
    listening = listenTo(server());
    expectNoContent(await person.client.delete(`/api/sessions/${phone.session.id}`));
    expect(await listening.of(phone.session.id)).toEqual({
      sessionId: phone.session.id,
      accountId: person.account.id,
      reason: "signed_out_remotely",
      by: "Chrome on Mac OS",
      at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    const change = { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD };
    expectNoContent(await person.client.put("/api/account/password", change));
    expect(await listening.of(laptop.session.id)).toMatchObject({ reason: "password_changed" });
    await server().latchkey.sessions.endAll(person.account.id);
    await listening.of(person.session.id);
    const ids = listening.heard.map(({ sessionId }) => sessionId);
    expect(ids).toEqual([phone.session.id, laptop.session.id, person.session.id]);
  });

  test("an ending by the command line is heard in the app's process", async () => {
    const person = await signUp(server());
    listening = listenTo(server());
    const { database, baseUrl, secretKey } = server();
    const env = { DATABASE_URL: database.url, BASE_URL: baseUrl, LATCHKEY_SECRET_KEY: secretKey };
    expect(await run(["sessions", "end", person.session.id], { cwd: database.folder, env })).toMatchObject({
      code: 0,
    });
    expect(await listening.of(person.session.id)).toMatchObject({ by: "an administrator" });
  });

  test("a session whose time runs out is reported too, and a listener that was stopped hears nothing more", async () => {
    const person = await signUp(server());
    const stopped = listenTo(server());
    listening = listenTo(server());
    stopped.stop();
    const { clock } = server();
    clock.advance(Date.parse(person.session.expiresAt) - clock.now() + 1);
    const other = await signUp(server());
    await server().latchkey.sessions.end(other.session.id);
    expect(await listening.of(person.session.id)).toMatchObject({ reason: "expired" });
    expect(stopped.heard).toEqual([]);
    clock.advance(-DAY);
  });

  test("an ending during a pause is reported once after it, however long it was", async () => {
    const person = await signUp(server());
    const phone = await signIn(server(), person, UA.safariIphone);
    const laptop = await signIn(server(), person, UA.edgeWindows);
    const { clock, latchkey } = server();
    listening = listenTo(server());
    await latchkey.sessions.end(phone.session.id);
    await listening.of(phone.session.id);
    await latchkey.sessions.end(laptop.session.id);
    // Ten minutes pass before anything has looked: the machine slept, or the database didn't answer.
    clock.advance(10 * MINUTE);
    await listening.of(laptop.session.id);
    await latchkey.sessions.end(person.session.id);
    await listening.of(person.session.id);
    const own = listening.heard.filter(({ accountId }) => accountId === person.account.id);
    const ids = own.map(({ sessionId }) => sessionId);
    expect(ids).toEqual([phone.session.id, laptop.session.id, person.session.id]);
  });

  test("a session that was reported when its time ran out isn't reported again when it is pruned", async () => {
    const person = await signUp(server());
    listening = listenTo(server());
    const { clock, latchkey } = server();
    clock.advance(Date.parse(person.session.expiresAt) - clock.now() + 1);
    const others = [await signUp(server()), await signUp(server())];
    await latchkey.sessions.end(others[0]?.session.id ?? "");
    await listening.of(others[0]?.session.id ?? "");
    clock.advance(HOUR);
    await prune(latchkey.parts, clock.now());
    await latchkey.sessions.end(others[1]?.session.id ?? "");
    await listening.of(others[1]?.session.id ?? "");
    expect(listening.heard.filter(({ sessionId }) => sessionId === person.session.id)).toHaveLength(1);
    clock.advance(-31 * DAY);
  });

  test.each(["throws", "rejects"])(
    "a listener that %s keeps no other from hearing, and doesn't end the process",
    async (how) => {
      const unhandled: unknown[] = [];
      const hear = (error: unknown) => unhandled.push(error);
      process.prependListener("unhandledRejection", hear);
      const person = await signUp(server());
      const fault = new Error("The app's own fault.");
      const stop = server().latchkey.on("session-ended", () => {
        if (how === "throws") throw fault;
        return Promise.reject(fault);
      });
      listening = listenTo(server());
      await server().latchkey.sessions.end(person.session.id);
      expect(await listening.of(person.session.id)).toBeTruthy();
      expect((await server().client().get("/healthz")).status).toBe(200);
      process.off("unhandledRejection", hear);
      expect(unhandled).toEqual([]);
      stop();
    },
  );

  test("a value that isn't an id is refused as such, not treated as an unknown id or a broken database", async () => {
    const person = await signUp(server());
    const { list, end, endOthers, endAll } = server().latchkey.sessions;
    const account = "latchkey.sessions takes the id of an account";
    const session = "latchkey.sessions takes the id of a session";
    for (const wrong of [person, undefined, null].map((one) => one as never)) {
      await expect(list(wrong)).rejects.toThrow(account);
      await expect(endAll(wrong)).rejects.toThrow(account);
      await expect(endOthers(wrong, person.session.id)).rejects.toThrow(account);
      await expect(endOthers(person.account.id, wrong)).rejects.toThrow(session);
      await expect(end(wrong)).rejects.toThrow(session);
    }
    expect(await list(person.account.id)).toHaveLength(1);
  });

  test("an event without a listener function is refused", () => {
    const on = server().latchkey.on as (event: string) => () => void;
    expect(() => on("session-ended")).toThrow('on("session-ended", …) takes a function');
  });

  test("an event that doesn't exist is refused with the one that does", () => {
    const on = server().latchkey.on as (event: string, listener: () => void) => () => void;
    expect(() => on("session_ended", () => {})).toThrow('listen to "session-ended"');
  });
});
