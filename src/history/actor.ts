/** Who did something to an account: a device, an administrator, or the app that Latchkey is part of. */
export type Actor = {
  /** As it is stored, answered and emailed. */
  name: string;
  isDevice: boolean;
};

export const ADMINISTRATOR: Actor = { name: "an administrator", isDevice: false };

export function device(label: string): Actor {
  return { name: label, isDevice: true };
}
