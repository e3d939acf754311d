/** Who did something to an account: a device, an administrator, or the app that Latchkey is part of. */
export type Actor = {
  /** As stored, and as shown in the API and in emails. */
  name: string;
  isDevice: boolean;
};

export const ADMINISTRATOR: Actor = { name: "an administrator", isDevice: false };

export function device(label: string): Actor {
  return { name: label, isDevice: true };
}
