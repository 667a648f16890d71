/** Asks whether something listens somewhere by connecting. */
import { accepts, endpoint } from "../upstream/connect.ts";
import type { ProbeListener } from "./local-copies.ts";

/** Other machines may not answer at all. */
const PATIENCE_MS = 1_000;

export const askByConnecting: ProbeListener = (origin, done) => {
  const giveUp = accepts(endpoint(origin), (listens) => {
    clearTimeout(timer);
    done(listens);
  });
  const timer = setTimeout(() => {
    giveUp();
    done(false);
  }, PATIENCE_MS);
};
