import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, test } from "vitest";
import { api } from "../../src/http/routes.ts";
import { serverOn } from "../support/sqlite-server.ts";

type Document = {
  openapi: string;
  servers: { url: string }[];
  paths: Record<string, Record<string, { operationId: string; requestBody?: unknown }>>;
};

const AROUND = ["/api/openapi.json", "/verify", "/healthz", "/readyz"];

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
      .filter(([, path]) => !AROUND.includes(path))
      .map(([method, path]) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`);
    expect(described.toSorted()).toEqual(rows.toSorted());
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
});
