import { type ReactNode, useId } from "react";
import type { Confirmation } from "../../../src/client/index.ts";
import { Button } from "../../../src/react/parts/button.tsx";
import { type Action, FormProblem } from "../../../src/react/parts/form.tsx";

export type Answering = Action<[Confirmation, boolean]>;
export type Asked = { link: Confirmation; answering: Answering };

export function ConfirmButton({ link, answering }: Asked) {
  return (
    <>
      <FormProblem problem={answering.problem} />
      <Button kind="main" wide working={answering.working} onClick={() => void answering.act(link, true)}>
        Confirm this address
      </Button>
    </>
  );
}

export function Address({ children }: { children: string }) {
  return <bdi className="lk-address lk-label">{children}</bdi>;
}

export function Facts({ children }: { children: ReactNode }) {
  return <div className="facts">{children}</div>;
}

export function Choice({ title, children }: { title: string; children: ReactNode }) {
  const heading = useId();
  return (
    <section className="choice" aria-labelledby={heading}>
      <h2 id={heading}>{title}</h2>
      {children}
    </section>
  );
}
