import { useState } from "react";
import type { SecondFactor } from "../../client/index.ts";
import { asRecoveryCode, type Problem } from "../words.ts";
import { type Action, Field, text } from "./form.tsx";

/** A form's second factor: a code from the app or a recovery code; `change` switches; `of` reads the form. */
export function useSecondFactor() {
  const [byRecovery, setByRecovery] = useState(false);
  return {
    byRecovery,
    of: (form: FormData): SecondFactor =>
      byRecovery ? { recoveryCode: text(form, "code") } : { code: text(form, "code") },
    field: ({ problem }: Action<[FormData]>, autoFocus = false) =>
      byRecovery ? (
        <Field
          key="recovery"
          label="Recovery code"
          name="code"
          autoComplete="off"
          // A string, since Preact omits the attribute for `false`.
          spellCheck="false"
          autoFocus={autoFocus}
          problem={asRecoveryCode(problem)}
        />
      ) : (
        <CodeField key="totp" problem={problem} autoFocus={autoFocus} />
      ),
    change: ({ refuse }: Action<[FormData]>) => (
      <button
        type="button"
        className="lk-link"
        onClick={() => {
          refuse(null);
          setByRecovery(!byRecovery);
        }}
      >
        {byRecovery ? "Use a code from the app" : "Use a recovery code"}
      </button>
    ),
  };
}

export function CodeField({ problem, autoFocus }: { problem: Problem | null; autoFocus?: boolean }) {
  return (
    <Field
      label="Authentication code"
      name="code"
      autoComplete="one-time-code"
      inputMode="numeric"
      autoFocus={autoFocus}
      problem={problem}
    />
  );
}
