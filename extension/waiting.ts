/** Waits that the user can see, with a word for what is waited for, and can end. */
import * as vscode from "vscode";

/** A wait this long is shown in the status bar. */
const SEEN_MS = 400;
/** A wait this long gets a notification with a Cancel button. */
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
  const settled = running.then(
    () => {},
    () => {},
  );
  const show = (ms: number, location: vscode.ProgressLocation, cancellable: boolean) =>
    setTimeout(
      () =>
        void vscode.window.withProgress({ location, title, cancellable }, async (_, cancellation) => {
          cancellation.onCancellationRequested(() => cancelled.abort());
          await settled;
        }),
      ms,
    );
  const timers = [
    show(SEEN_MS, vscode.ProgressLocation.Window, false),
    show(SLOW_MS, vscode.ProgressLocation.Notification, true),
  ];
  try {
    return await running;
  } catch (error) {
    if (cancelled.signal.aborted) return undefined;
    throw error;
  } finally {
    timers.forEach(clearTimeout);
  }
}
