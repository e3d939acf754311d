import { useState } from "react";
import { Refused } from "../../src/client/index.ts";
import { Field, Form, FormProblem, Submit, text, useAction } from "../../src/react/parts/form.tsx";
import { inWords, ofRecoveryCode } from "../../src/react/words.ts";
import { OneTask, useFrame, useGoOn } from "../frame.tsx";

/** The code of an account with a second factor. `onOver` goes back to the first step, with a sentence where it had to. */
export function SecondStep({ onOver }: { onOver: (sentence: string | null) => void }) {
  const { client } = useFrame();
  const goOn = useGoOn();
  const [byRecovery, setByRecovery] = useState(false);
  const action = useAction(async (form: FormData) => {
    const given = text(form, "code");
    try {
      await client.giveSecondFactor(byRecovery ? { recoveryCode: given } : { code: given });
      goOn();
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== "sign_in_expired") throw error;
      onOver(inWords(error).sentence);
    }
  });
  const change = () => {
    action.refuse(null);
    setByRecovery(!byRecovery);
  };
  const { problem } = action;
  return (
    <OneTask title="One more step">
      <p className="lk-words">
        {byRecovery
          ? "Type one of the recovery codes that you saved."
          : "Open your authenticator app and type its code."}
      </p>
      <Form action={action}>
        {byRecovery ? (
          <Field
            key="recovery"
            label="Recovery code"
            name="code"
            autoComplete="off"
            spellCheck={false}
            problem={ofRecoveryCode(problem)}
            autoFocus
          />
        ) : (
          <Field
            key="totp"
            label="Authentication code"
            name="code"
            autoComplete="one-time-code"
            inputMode="numeric"
            problem={problem}
            autoFocus
          />
        )}
        <FormProblem problem={problem} fields={["code"]} />
        <Submit working={action.working}>Verify</Submit>
      </Form>
      <p className="links">
        <button type="button" className="lk-link" onClick={change}>
          {byRecovery ? "Use a code of the app" : "Use a recovery code"}
        </button>
        <button type="button" className="lk-link" onClick={() => onOver(null)}>
          Start again
        </button>
      </p>
    </OneTask>
  );
}
