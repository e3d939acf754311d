import { Refused } from "../../src/client/index.ts";
import { Form, FormProblem, Submit, useAction } from "../../src/react/parts/form.tsx";
import { useSecondFactor } from "../../src/react/parts/second-factor-field.tsx";
import { inWords } from "../../src/react/words.ts";
import { OneTask, useFrame, useGoOn } from "../frame.tsx";

/** Asks for the second factor. `onOver` goes back to the first step, with a reason if the time is over. */
export function SecondStep({ onOver }: { onOver: (sentence: string | null) => void }) {
  const { client } = useFrame();
  const goOn = useGoOn();
  const factor = useSecondFactor();
  const action = useAction(async (form: FormData) => {
    try {
      await client.giveSecondFactor(factor.of(form));
      await goOn();
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== "sign_in_expired") throw error;
      onOver(inWords(error).sentence);
    }
  });
  return (
    <OneTask title="One more step">
      <p className="lk-words">
        {factor.byRecovery
          ? "Enter one of the recovery codes that you saved. If you have none, ask whoever runs this site."
          : "Open your authenticator app and enter its code."}
      </p>
      <Form action={action}>
        {factor.field(action, true)}
        <FormProblem problem={action.problem} fields={["code"]} />
        <Submit working={action.working}>Verify</Submit>
      </Form>
      <p className="links">
        {factor.change(action)}
        <button type="button" className="lk-link" onClick={() => onOver(null)}>
          Start again
        </button>
      </p>
    </OneTask>
  );
}
