import { createLatchkey } from "latchkey";
import { onFirstUse } from "latchkey/next";

const port = Number(process.env.PORT ?? 3000);

export const latchkey = onFirstUse(() => createLatchkey({ baseUrl: `http://localhost:${port}/auth` }));
