import { type ReactNode, useState } from "react";
import { Refused } from "../../src/client/index.ts";
import { Button } from "../../src/react/parts/button.tsx";
import { FormProblem, useAction } from "../../src/react/parts/form.tsx";
import { OneTask, usePath } from "../frame.tsx";
import { dropToken, takeToken } from "../link-token.ts";

type Next = { way: string; to: string };

type Task = {
  title: string;
  words: string;
  button: string;
  /** What to do if there is nothing to report after all. */
  otherwise: string;
  done: { title: string; words: string; next?: Next };
  /** What to do if the link no longer works, or the page was opened without one. */
  gone: { words: string; next: Next };
  post: (token: string) => Promise<void>;
};

type State = "ready" | "done" | "expired" | "missing";

/** An emailed link's page, with one button. Opening it changes nothing: email programs open links too. */
export function LinkPage({ title, words, button, otherwise, done, gone, post }: Task) {
  const path = usePath();
  const [token] = useState(takeToken);
  const [state, setState] = useState<State>(token === null ? "missing" : "ready");
  const finish = (next: "done" | "expired") => {
    dropToken();
    setState(next);
  };
  const action = useAction(async () => {
    try {
      await post(token ?? "");
      finish("done");
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== "link_expired") throw error;
      finish("expired");
    }
  });
  if (state === "expired" || state === "missing") return <Gone {...gone} isMissing={state === "missing"} />;
  return (
    <OneTask title={state === "done" ? done.title : title}>
      {state === "done" ? (
        <>
          <p role="status">{done.words}</p>
          {done.next && <NextStep {...done.next} />}
        </>
      ) : (
        <>
          <p className="lk-words">{words}</p>
          <FormProblem problem={action.problem} />
          <Button kind="main" wide working={action.working} onClick={() => void action.act()}>
            {button}
          </Button>
          <p className="lk-words">{otherwise}</p>
        </>
      )}
      <ToAccount href={path("/")} />
    </OneTask>
  );
}

export function Gone({ isMissing, words, next }: Task["gone"] & { isMissing: boolean }) {
  const path = usePath();
  return (
    <OneTask title={isMissing ? "The link is missing" : "This link no longer works"}>
      <p role="status">
        {isMissing
          ? "Open this page from the link in the email."
          : "This link has expired or was already used."}{" "}
        {words}
      </p>
      <NextStep {...next} />
      <ToAccount href={path("/")} />
    </OneTask>
  );
}

function NextStep({ way, to }: Next) {
  const path = usePath();
  return (
    <a className="lk-button lk-main lk-wide" href={path(to)}>
      {way}
    </a>
  );
}

export function ToAccount({ href }: { href: string }): ReactNode {
  return (
    <p className="links">
      <a href={href}>Go to your account</a>
    </p>
  );
}
