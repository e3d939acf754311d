"use client";
/** `latchkey/react`: the security page's cards for React apps. Styles: `latchkey/react/latchkey.css`. */
export { DeleteAccountCard } from "./account/delete-account-card.tsx";
export { EmailCard } from "./account/email-card.tsx";
export { LoginMethodsCard } from "./account/login-methods-card.tsx";
export { PasswordCard } from "./account/password-card.tsx";
export { RecentActivity } from "./account/recent-activity.tsx";
export { LoginManagement } from "./login-management/login-management.tsx";
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
export { TwoFactorCard } from "./two-factor/two-factor-card.tsx";
