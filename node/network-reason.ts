/** What went wrong on the network, in words: the second half of a sentence about a server. */
export function networkReason(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code;
  // Connecting to several addresses of one host fails with one error for each.
  const inner = error instanceof AggregateError ? (error.errors[0] as Error | undefined) : undefined;
  if (error.name === "AbortError" || error.name === "TimeoutError") return "it did not answer in time";
  if (code === "ECONNREFUSED") return "nothing listens there (connection refused)";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "its host name cannot be found";
  if (code === "ECONNRESET" || code === "EPIPE") return "it closed the connection";
  return error.message || inner?.message || code || "unknown reason";
}
