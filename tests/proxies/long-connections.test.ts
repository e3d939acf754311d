import { once } from "node:events";
import { expect, test } from "vitest";
import { LiveStream } from "../support/requests/live-stream.ts";
import { signIn, signUp, signUpConfirmed } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { describeBehindEachProxy } from "./behind.ts";

await describeBehindEachProxy("A connection that stays open, behind a proxy", (behind) => {
  test("gets the app's events as they come, and none without a session", async () => {
    const { server, app, ask, proxyPort } = behind();
    const { client, email } = await signUpConfirmed(server);
    const headers = { Host: `localhost:${proxyPort}`, Accept: "text/event-stream" };
    const open = (cookie: string) =>
      LiveStream.open({ port: proxyPort, path: "/events", headers: { ...headers, Cookie: cookie } });
    const stream = await open(client.jar.header());
    expect(await stream.next()).toEqual({ event: "hello", data: email });
    expect((await ask(client, "/tell-all")).status).toBe(200);
    expect(await stream.next()).toEqual({ event: "told", data: {} });
    stream.close();
    const before = app.heard.length;
    await expect(open("latchkey=none")).rejects.toThrow("401");
    expect(app.heard).toHaveLength(before);
  });

  test("can be a WebSocket that knows who it is, but not without a session", async () => {
    const { server, app, proxyPort } = behind();
    const { client, email } = await signUpConfirmed(server);
    const open = (Cookie: string) => {
      const options = { headers: { Cookie, "Remote-User": "root@example.test" } };
      return new WebSocket(`ws://localhost:${proxyPort}/chat`, options as unknown as string[]);
    };
    const socket = open(client.jar.header());
    await once(socket, "open");
    const answers = once(socket, "message");
    socket.send("hello");
    const [message] = (await answers) as [MessageEvent];
    expect(message.data).toBe(`${email} said hello`);
    expect([undefined, ""]).toContain(app.last.headers.cookie);
    socket.close();
    const before = app.heard.length;
    const refused = open("latchkey=none");
    await once(refused, "error");
    expect(refused.readyState).toBe(WebSocket.CLOSED);
    expect(app.heard).toHaveLength(before);
  });

  test("can be Latchkey's own stream: an open page hears at once that it was logged out", async () => {
    const { server } = behind();
    const person = await signUp(server);
    const other = await signIn(server, person, UA.firefoxWindows);
    const live = await other.client.live();
    await person.client.delete(`/api/sessions/${other.session.id}`);
    const event = await live.nextOf("signed-out");
    expect(event.data).toMatchObject({ reason: "signed_out_remotely" });
    await live.closed();
  });
});
