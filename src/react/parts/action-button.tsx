import type { ReactNode } from "react";
import { Button } from "./button.tsx";
import { type Action, FormProblem } from "./form.tsx";

/** A button for one action, and what went wrong with it. */
export function ActionButton({ action, children }: { action: Action<[]>; children: ReactNode }) {
  return (
    <>
      <Button working={action.working} onClick={() => void action.act()}>
        {children}
      </Button>
      <FormProblem problem={action.problem} />
    </>
  );
}
