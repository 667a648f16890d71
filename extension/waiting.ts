/** Waits that the user can see, with a word for what is waited for, and can end where that is possible. */
import * as vscode from "vscode";

/** A wait this long is shown in the status bar. */
const SEEN_MS = 400;
/** A wait this long gets a notification. */
const SLOW_MS = 3_000;

/**
 * Runs `work` and shows `title` while it lasts. The signal given to `work` aborts when the user cancels, or with `outer`. Returns
 * undefined when the user cancelled and `work` rejected; rejects as `work` does otherwise.
 */
export async function waitFor<T>(
  title: string,
  work: (signal: AbortSignal) => Promise<T>,
  outer?: AbortSignal,
): Promise<T | undefined> {
  const cancelled = new AbortController();
  const running = work(outer ? AbortSignal.any([outer, cancelled.signal]) : cancelled.signal);
  try {
    return await shownWhile(title, running, () => cancelled.abort());
  } catch (error) {
    if (cancelled.signal.aborted) return undefined;
    throw error;
  }
}

/** For work that changes nothing: cancelling ends the wait at once, and the answer is ignored. */
export async function waitForAnswer<T>(title: string, work: () => Promise<T>): Promise<T | undefined> {
  return await waitFor(title, async (signal) => {
    const { promise, reject } = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    return await Promise.race([work(), promise]);
  });
}

/** For work that cannot be taken back half way. Rejects as `work` does. */
export async function waitUntilDone<T>(title: string, work: () => Promise<T>): Promise<T> {
  return await shownWhile(title, work());
}

async function shownWhile<T>(title: string, running: Promise<T>, cancel?: () => void): Promise<T> {
  const settled = running.then(
    () => {},
    () => {},
  );
  const show = (ms: number, location: vscode.ProgressLocation, cancellable: boolean) =>
    setTimeout(
      () =>
        void vscode.window.withProgress({ location, title, cancellable }, async (_, cancellation) => {
          cancellation.onCancellationRequested(() => cancel?.());
          await settled;
        }),
      ms,
    );
  const timers = [
    show(SEEN_MS, vscode.ProgressLocation.Window, false),
    show(SLOW_MS, vscode.ProgressLocation.Notification, cancel !== undefined),
  ];
  try {
    return await running;
  } finally {
    timers.forEach(clearTimeout);
  }
}
