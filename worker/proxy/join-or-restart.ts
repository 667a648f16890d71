/** How long to wait on another request's call in flight. */
const COALESCE_TIMEOUT_MS = 500;

/**
 * Waits for a call that another request has made. It never settles when that request's client disconnects: then the
 * call is made again.
 */
export async function joinOrRestart<T>(pending: Promise<T>, restart: () => Promise<T>): Promise<T> {
  let timer = 0;
  const timeout = new Promise<"timeout">((resolve) => {
    timer = setTimeout(() => resolve("timeout"), COALESCE_TIMEOUT_MS);
  });
  const first = await Promise.race([pending.then((value) => ({ value })), timeout]);
  clearTimeout(timer);
  return first === "timeout" ? restart() : first.value;
}
