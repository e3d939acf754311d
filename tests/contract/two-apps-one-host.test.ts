import { describe, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { Client } from "../support/requests/client.ts";
import { CookieJar } from "../support/requests/cookie-jar.ts";
import { isSignedIn, signUp } from "../support/requests/people.ts";
import { serverFor, type TestServer } from "../support/servers/server.ts";

/** Two tabs of a browser: cookies belong to a host, not to a port, so both apps of a host get all of them. */
function tabs(one: TestServer, other: TestServer): [Client, Client] {
  const jar = new CookieJar();
  return [new Client({ ...one, jar }), new Client({ ...other, jar })];
}

describeOnEachEngine("Two apps on one host, in one browser", (engine) => {
  const notes = serverFor(engine);
  const wiki = serverFor(engine, { cookieName: "wiki" });

  test("keep a session each if one of them has LATCHKEY_COOKIE_NAME", async () => {
    const [atNotes, atWiki] = tabs(notes(), wiki());
    const people = [await signUp(notes()), await signUp(wiki())] as const;
    for (const [client, person] of [
      [atNotes, people[0]],
      [atWiki, people[1]],
    ] as const)
      expect((await client.post("/api/session", person)).status).toBe(201);
    expect([await isSignedIn(atNotes), await isSignedIn(atWiki)]).toEqual([true, true]);
    expect((await atWiki.get("/verify")).headers["remote-account"]).toBe(people[1].account.id);
    expect((await atNotes.get("/verify")).headers["remote-account"]).toBe(people[0].account.id);
    expect((await atWiki.delete("/api/session")).status).toBe(204);
    expect([await isSignedIn(atNotes), await isSignedIn(atWiki)]).toEqual([true, false]);
    expect(atNotes.jar.names().sort()).toEqual(["latchkey", "latchkey-device", "wiki-device"]);
  });

  test("keep a device cookie each, so that neither takes the browser for a new one", async () => {
    const [atNotes, atWiki] = tabs(notes(), wiki());
    const person = await signUp(notes());
    await atNotes.post("/api/session", person);
    const device = atNotes.jar.get("latchkey-device");
    await atWiki.post("/api/session", await signUp(wiki()));
    expect(atNotes.jar.get("latchkey-device")).toBe(device);
  });

  describe("on https", () => {
    const secure = serverFor(engine, { cookieName: "wiki", baseUrl: "https://wiki.example.test" });
    const shared = serverFor(engine, {
      cookieName: "wiki",
      baseUrl: "https://wiki.example.test",
      cookieDomain: "example.test",
    });

    test("the name has the prefix that the browser enforces, and the API's description says so", async () => {
      const inJar = async (server: TestServer) => (await signUp(server)).client.jar.names().sort();
      expect(await inJar(secure())).toEqual(["__Host-wiki", "__Host-wiki-device"]);
      expect(await inJar(shared())).toEqual(["__Host-wiki-device", "__Secure-wiki"]);
      const { text } = await secure().client().get("/api/openapi.json");
      expect(JSON.parse(text).components.securitySchemes).toMatchObject({ session: { name: "__Host-wiki" } });
    });
  });
});
