import type { Ending, SignedIn } from "./answers.ts";
import { Refused } from "./refused.ts";

type Listener = (ending: Ending) => void;

/**
 * One shared answer to a 401, over all tabs. A request may have been under way while the token was
 * renewed: only a second question decides, and however many calls failed, it is asked once.
 */
export function createGuard(options: {
  basePath: string;
  who: (reading: { background: boolean }) => Promise<SignedIn>;
}) {
  const listeners = new Set<Listener>();
  const channel = new BroadcastChannel(`latchkey:ended:${options.basePath}`);
  channel.addEventListener("message", (event: MessageEvent<Ending>) => tellHere(event.data));
  let asking: Promise<boolean> | undefined;

  function tellHere(ending: Ending): void {
    for (const listener of listeners) listener(ending);
  }

  function tellAll(ending: Ending): void {
    channel.postMessage(ending);
    tellHere(ending);
  }

  /** Whether someone is signed in; where nobody is any more, every tab is told. */
  async function ask(): Promise<boolean> {
    asking ??= options
      .who({ background: true })
      .then(() => true)
      .catch((error: unknown) => {
        if (!(error instanceof Refused) || !error.isSignedOut) throw error;
        tellAll(error.ending);
        return false;
      })
      .finally(() => {
        asking = undefined;
      });
    return asking;
  }

  return {
    ask,
    tellAll,
    /** Makes a call; one that was refused while the token was being renewed is made once more. */
    async run<Answer>(call: () => Promise<Answer>): Promise<Answer> {
      try {
        return await call();
      } catch (error) {
        if (error instanceof Refused && error.isSignedOut && (await ask())) return call();
        throw error;
      }
    },
    listen(listener: Listener): () => void {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
