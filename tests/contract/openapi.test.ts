import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, test } from "vitest";
import { api } from "../../src/http/routes.ts";
import { expectRefusal } from "../support/requests/expectations.ts";
import { signUp } from "../support/requests/people.ts";
import type { TestServer } from "../support/servers/server.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

type Operation = { operationId: string; requestBody?: Body; responses: Record<string, unknown> };

type Document = {
  openapi: string;
  servers: { url: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { securitySchemes: unknown };
};

type Body = {
  required: boolean;
  content: Record<string, { schema: { required?: string[]; properties?: object } }>;
};

describe("The API's description", () => {
  const server = serverOn({ basePath: "/auth" });
  const read = async () => JSON.parse((await server().client().get("/api/openapi.json")).text) as Document;

  test("is OpenAPI 3.1, with the base URL as its server, and open to anyone", async () => {
    const document = await read();
    expect(document.openapi).toMatch(/^3\.1\./);
    expect(document.servers).toEqual([{ url: server().baseUrl }]);
    expect(await new Validator().validate(document)).toEqual({ valid: true });
  });

  test("has every row of the API, and no other", async () => {
    const document = await read();
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const rows = api
      .filter(({ path }) => path !== "/api/openapi.json")
      .map(({ method, path }) => `${method === "ALL" ? "GET" : method} ${path.replace(/:(\w+)/g, "{$1}")}`);
    expect(described.toSorted()).toEqual(rows.toSorted());
  });

  test("has only answers that can occur: a finished sign-up is always signed in", async () => {
    const { paths } = await read();
    const successes = (path: string, method: string) =>
      Object.keys(paths[path]?.[method]?.responses ?? {}).filter((status) => status < "300");
    expect(successes("/api/accounts", "post")).toEqual(["201", "202"]);
    expect(successes("/api/accounts", "put")).toEqual(["201"]);
  });

  test("names each operation once", async () => {
    const names = Object.values((await read()).paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  test("describes bodies by the schemas that judge them", async () => {
    const document = await read();
    const change = document.paths["/api/account/password"]?.put?.requestBody;
    expect(change).toMatchObject({
      content: { "application/json": { schema: { required: ["newPassword"] } } },
    });
  });

  test("asks for a body only if an empty one is refused", async () => {
    const { paths } = await read();
    expect(paths["/api/account/password"]?.put?.requestBody?.required).toBe(true);
    const client = server().client();
    const options = "/api/session/passkey/options";
    expect(paths[options]?.post?.requestBody?.required).toBe(false);
    expect((await client.send("POST", options)).status).toBe(200);
    expect(paths["/api/account"]?.delete?.requestBody?.required).toBe(false);
    expect(paths["/api/session"]?.post?.requestBody?.required).toBe(true);
  });
});

describe("The API's description of a passkey", () => {
  const server = serverOn();

  test.each([
    ["/api/session/passkey", ["passkey", "touchPoints"]],
    ["/api/passkeys", ["passkey", "name"]],
  ])("%s accepts what it reads, and refuses a body without the passkey", async (path, fields) => {
    const { paths } = JSON.parse((await server().client().get("/api/openapi.json")).text) as Document;
    const body = paths[path]?.post?.requestBody;
    const schema = body?.content["application/json"]?.schema;
    expect([body?.required, schema?.required, Object.keys(schema?.properties ?? {})]).toEqual([
      true,
      ["passkey"],
      fields,
    ]);
    const { client } = await signUp(server());
    const answer = await client.post(path, {});
    expectRefusal(answer, 422, "invalid_input");
    expect(answer.body.field).toBe("passkey");
  });
});

describe("The API's description, with other settings", () => {
  const open = serverOn();
  const other = serverOn({ baseUrl: "https://login.example.test", signUp: "verify-first" });
  const read = async (server: () => TestServer) =>
    JSON.parse((await server().client().get("/api/openapi.json")).text) as Document;

  test("names the cookie that is used then, and what a sign-up takes then", async () => {
    const [plain, secure] = [await read(open), await read(other)];
    expect(plain.components.securitySchemes).toEqual({
      session: { type: "apiKey", in: "cookie", name: "latchkey" },
    });
    expect(secure.components.securitySchemes).toMatchObject({ session: { name: "__Host-latchkey" } });
    const bodyOfSignUp = ({ paths }: Document) =>
      JSON.stringify(paths["/api/accounts"]?.post?.requestBody?.content["application/json"]?.schema);
    expect(bodyOfSignUp(plain)).toContain('"password":{"type":"string"}');
    expect(bodyOfSignUp(secure)).not.toContain('"password":{"type":"string"}');
    expect(await new Validator().validate(secure)).toEqual({ valid: true });
  });
});
