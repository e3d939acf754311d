export type EngineName = "sqlite" | "postgres";

const ALL: readonly EngineName[] = ["sqlite", "postgres"];

/** Both engines; `ENGINES=sqlite` narrows a run while developing. @throws if it names no engine. */
export function engineNames(): readonly EngineName[] {
  const wanted = process.env.ENGINES?.split(",");
  if (!wanted) return ALL;
  const chosen = ALL.filter((name) => wanted.includes(name));
  if (chosen.length !== wanted.length) throw new Error(`ENGINES takes ${ALL.join(",")} or one of them.`);
  return chosen;
}
