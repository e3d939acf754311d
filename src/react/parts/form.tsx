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

/** An action on its way: whether it works on it, and what went wrong the last time. */
export type Action<Given extends unknown[]> = {
  act: (...given: Given) => Promise<boolean>;
  working: boolean;
  problem: Problem | null;
  /** Says what is wrong before anything is sent; null takes it back. */
  refuse: (problem: Problem | null) => void;
};

/** Runs an action once at a time; what was typed stays, whatever happens. `asProblem` puts a failure into words. */
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

/** The person closed the dialog, or began another prompt: that needs no sentence. */
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

/** A form whose refusal is said in words, by the field where there is one, else above the button. */
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
 * The focus goes to the field that was refused; what was wrong as a whole is selected, to be typed again. Where it
 * is about no field, as when nobody answers, it stays: at the button, to be pressed once more.
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
  /** What stands at the end of the input. */
  end?: ReactNode;
};

/** One input with its label, its hint and what is wrong with it; `aria-describedby` names what else describes it. */
export function Field(props: FieldProps) {
  const { label, hint, problem, end, autoFocus = false, "aria-describedby": more, ...input } = props;
  const id = useId();
  const element = useRef<HTMLInputElement>(null);
  // A browser heeds the attribute once a page, and a field may be drawn later.
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

/** What was refused that belongs to no field of the form. */
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

/** The button that sends its form; it says when it is at work, and can't be pressed twice. */
export function Submit({ children, working, kind = "main" }: SubmitProps) {
  return (
    <Button type="submit" kind={kind} working={working} aria-disabled={working || undefined}>
      {children}
    </Button>
  );
}

/** The end of a form that can be left: its button, and the way back. */
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
