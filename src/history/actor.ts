/** Who did something to an account. */
export type Actor =
  | { kind: "device"; label: string }
  | { kind: "administrator" }
  /** The app that Latchkey is part of, under the name that it gives. */
  | { kind: "app"; name: string };

export const ADMINISTRATOR: Actor = { kind: "administrator" };

export function device(label: string): Actor {
  return { kind: "device", label };
}

/** Null where the app gives no name. */
export function app(name: string | undefined): Actor | null {
  return name === undefined ? null : { kind: "app", name };
}

/** The name of an actor, as it is stored, answered and emailed. */
export function nameOf(actor: Actor): string {
  switch (actor.kind) {
    case "device":
      return actor.label;
    case "administrator":
      return "an administrator";
    case "app":
      return actor.name;
  }
}
