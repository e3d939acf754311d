import { expect } from "vitest";

const ID = expect.stringMatching(/^[\w-]{8,}$/);
const TIME = expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{3})?Z$/);

/** Every field of the contract and no other; to be used with `toEqual`. */
export const accountShape = {
  id: ID,
  email: expect.stringContaining("@"),
  emailVerified: expect.any(Boolean),
  twoFactor: expect.any(Boolean),
  createdAt: TIME,
};

export const sessionShape = {
  id: ID,
  label: expect.stringMatching(/\S/),
  browser: expect.anything(),
  os: expect.anything(),
  createdAt: TIME,
  lastUsedAt: TIME,
  expiresAt: TIME,
  current: expect.any(Boolean),
  signedInWith: expect.stringMatching(/^(password|passkey|oidc)$/),
};

export const eventShape = {
  id: ID,
  kind: expect.stringMatching(/^[a-z_]+$/),
  at: TIME,
  label: expect.stringMatching(/\S/),
  detail: expect.any(Object),
};

export const methodShape = {
  id: expect.any(String),
  kind: expect.stringMatching(/^(password|passkey|oidc)$/),
  name: expect.stringMatching(/\S/),
  createdAt: TIME,
  lastUsedAt: TIME,
};
