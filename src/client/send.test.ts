import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { createClient } from "./client.ts";

/** What a client says of an answer. */
async function failureOf(answer: RequestListener): Promise<unknown> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await createClient({ basePath: `http://127.0.0.1:${port}` })
      .sessions()
      .catch((error: unknown) => error);
  } finally {
    server.close();
  }
}

it("no answer of Latchkey's is `Unreachable`, whatever came instead", async () => {
  const page = await failureOf((_request, reply) => reply.end("<html>Log in to the hotel's network</html>"));
  expect(page).toMatchObject({ name: "Unreachable", status: 200 });
  const cut = await failureOf((_request, reply) => {
    reply.writeHead(200, { "Content-Length": 100 }).write('{"sessions": [');
    setImmediate(() => reply.destroy());
  });
  expect(cut).toMatchObject({ name: "Unreachable", status: null });
  const error = await failureOf((_request, reply) => reply.writeHead(502).end("<html>Bad gateway</html>"));
  expect(error).toMatchObject({ name: "Unreachable", status: 502 });
});
