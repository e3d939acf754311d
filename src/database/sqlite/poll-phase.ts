import { performance } from "node:perf_hooks";

/**
 * Says whether the event loop has gone to wait for input since it was asked last. Node counts its loops just
 * before each wait, and the batches of events of one wait as well: while neither has moved, everything that
 * is being handled had arrived before the last answer.
 */
export function createPollPhase(): () => boolean {
  const { nodeTiming } = performance;
  let loops = -1;
  let batches = -1;
  return () => {
    const { loopCount, events } = nodeTiming.uvMetricsInfo;
    if (loopCount === loops && events === batches) return false;
    loops = loopCount;
    batches = events;
    return true;
  };
}
