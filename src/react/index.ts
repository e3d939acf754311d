"use client";
/** `latchkey/react`: the cards of the security page, for any React app. Their look: `latchkey/react/latchkey.css`. */
export { DeleteAccountCard } from "./delete-account-card.tsx";
export { EmailCard } from "./email-card.tsx";
export { LoginManagement } from "./login-management.tsx";
export { LoginMethodsCard } from "./login-methods-card.tsx";
export { PasswordCard } from "./password-card.tsx";
export { LatchkeyProvider } from "./provider.tsx";
export {
  type LatchkeySettings,
  useClient,
  useLoginMethods,
  useNow,
  useRefresh,
  useSessions,
  useWho,
} from "./queries.ts";
export { RecentActivity } from "./recent-activity.tsx";
export { TwoFactorCard } from "./two-factor-card.tsx";
