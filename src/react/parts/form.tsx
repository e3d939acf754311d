import {
  type FormEvent,
  type InputHTMLAttributes,
  type ReactNode,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import { EMPTY_FIELDS, inWords, type Problem } from "../words.ts";
import { Button, type ButtonKind } from "./button.tsx";

/** An action, with whether it is running and what went wrong the last time. */
export type Action<Given extends unknown[]> = {
  act: (...given: Given) => Promise<boolean>;
  working: boolean;
  problem: Problem | null;
  /** Shows a problem before anything is sent; null removes it. */
  refuse: (problem: Problem | null) => void;
};

/** Runs an action, one run at a time. `asProblem` puts a failure into words. */
export function useAction<Given extends unknown[]>(
  run: (...given: Given) => Promise<void>,
  asProblem: (error: unknown) => Problem = inWords,
): Action<Given> {
  const [working, setWorking] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const busy = useRef(false);
  async function act(...given: Given): Promise<boolean> {
    if (busy.current) return false;
    busy.current = true;
    setWorking(true);
    setProblem(null);
    try {
      await run(...given);
      return true;
    } catch (error) {
      if (!isCancelled(error)) setProblem(asProblem(error));
      return false;
    } finally {
      busy.current = false;
      setWorking(false);
    }
  }
  return { act, working, problem, refuse: setProblem };
}

/** The person closed the dialog, which needs no error message. */
export class Cancelled extends Error {
  override name = "Cancelled";
}

function isCancelled(error: unknown): boolean {
  return error instanceof Cancelled || (error instanceof Error && error.name === "AbortError");
}

type FormProps = {
  action: Action<[FormData]>;
  children: ReactNode;
  label?: string;
};

/** A form that keeps what was typed when it is refused, and moves the focus to the field with the problem. */
export function Form({ action, children, label }: FormProps) {
  const form = useRef<HTMLFormElement>(null);
  const { problem, act, refuse } = action;
  useEffect(() => {
    if (problem && form.current) goOnAt(form.current, problem);
  }, [problem]);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const empty = emptyFieldOf(event.currentTarget);
    if (empty) refuse({ field: empty, sentence: EMPTY_FIELDS[empty] ?? "Fill this in." });
    else void act(new FormData(event.currentTarget));
  };
  return (
    <form ref={form} className="lk-form" onSubmit={submit} noValidate aria-label={label}>
      {children}
    </form>
  );
}

/**
 * Moves the focus to the refused field, and selects its text if it has to be typed again. If the problem
 * concerns no field, such as a missing answer, the focus stays on the button, so that it can be pressed
 * again.
 */
function goOnAt(form: HTMLFormElement, { focus, code }: Problem): void {
  const places = ['[aria-invalid="true"]', `[name="${focus}"]`];
  const found = places.map((place) => form.querySelector<HTMLInputElement>(place)).find((field) => field);
  found?.focus();
  if (code?.startsWith("wrong_")) found?.select();
}

function emptyFieldOf(form: HTMLFormElement): string | null {
  const fields = [...form.querySelectorAll<HTMLInputElement>("input[required]")];
  return fields.find(({ value }) => value.trim() === "")?.name ?? null;
}

export type FieldProps = Omit<InputHTMLAttributes<HTMLInputElement>, "name"> & {
  label: string;
  name: string;
  hint?: ReactNode;
  problem?: Problem | null;
  /** Content at the end of the input. */
  end?: ReactNode;
};

/** An input with its label, hint and error; `aria-describedby` can add more descriptions. */
export function Field(props: FieldProps) {
  const { label, hint, problem, end, autoFocus = false, "aria-describedby": more, ...input } = props;
  const id = useId();
  const element = useRef<HTMLInputElement>(null);
  // Browsers obey the attribute only when the page loads, and a field may appear later.
  useEffect(() => {
    if (autoFocus) element.current?.focus();
  }, [autoFocus]);
  const wrong = problem?.field === input.name;
  const described = [more, hint && `${id}-hint`, wrong && `${id}-problem`].filter(Boolean).join(" ");
  return (
    <div className="lk-field">
      <label htmlFor={id}>{label}</label>
      <div className="lk-input">
        <input
          ref={element}
          id={id}
          required
          aria-invalid={wrong || undefined}
          aria-describedby={described || undefined}
          {...input}
        />
        {end}
      </div>
      {hint && (
        <p className="lk-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {wrong && (
        <p className="lk-problem" id={`${id}-problem`} role="alert">
          {problem.sentence}
        </p>
      )}
    </div>
  );
}

/** Shows a problem that doesn't belong to one of the form's `fields`. */
export function FormProblem({
  problem,
  fields = [],
}: {
  problem: Problem | null;
  fields?: readonly string[];
}) {
  if (!problem || (problem.field && fields.includes(problem.field))) return null;
  return (
    <p className="lk-problem" role="alert">
      {problem.sentence}
    </p>
  );
}

type SubmitProps = { children: ReactNode; working: boolean; kind?: ButtonKind };

/** The button that submits a form; it shows when it is working. */
export function Submit({ children, working, kind = "main" }: SubmitProps) {
  return (
    <Button type="submit" kind={kind} working={working} aria-disabled={working || undefined}>
      {children}
    </Button>
  );
}

/** The buttons at the end of a form: submit and cancel. */
export function SubmitOrCancel({ onCancel, ...submit }: SubmitProps & { onCancel: () => void }) {
  return (
    <div className="lk-actions">
      <Submit {...submit} />
      <Button kind="quiet" onClick={onCancel}>
        Cancel
      </Button>
    </div>
  );
}

export function text(form: FormData, name: string): string {
  return String(form.get(name) ?? "");
}
