import { createLatchkey } from "latchkey";
import { onFirstUse } from "latchkey/next";

const port = Number(process.env.PORT ?? 3000);
const baseUrl = `http://localhost:${port}/auth`;

export const latchkey = onFirstUse(() => createLatchkey({ baseUrl }));
