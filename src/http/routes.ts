import { accountRoutes } from "./api/account.ts";
import { deviceBindingRoutes } from "./api/device-binding.ts";
import { emailedLinkRoutes } from "./api/emailed-links.ts";
import { healthRoutes } from "./api/health.ts";
import { liveRoutes } from "./api/live.ts";
import { oidcRoutes } from "./api/oidc.ts";
import { openApiRoute } from "./api/openapi.ts";
import { passkeyRoutes } from "./api/passkeys.ts";
import { sessionRoutes } from "./api/sessions.ts";
import { signInRoutes } from "./api/sign-in.ts";
import { twoFactorRoutes } from "./api/two-factor.ts";
import { verifyRoute } from "./api/verify.ts";
import type { ApiRoute } from "./route.ts";

const described: ApiRoute[] = [
  ...signInRoutes,
  ...sessionRoutes,
  ...deviceBindingRoutes,
  ...passkeyRoutes,
  ...oidcRoutes,
  ...accountRoutes,
  ...twoFactorRoutes,
  ...emailedLinkRoutes,
  ...liveRoutes,
  ...healthRoutes,
  verifyRoute,
];

/** The API as one table, used both to serve and to describe it. */
export const api: ApiRoute[] = [...described, openApiRoute(described)];
