import type { ReactNode } from "react";
import { Button } from "./button.tsx";
import { type Action, FormProblem } from "./form.tsx";

/** A button for an action, with the error if it failed. */
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
