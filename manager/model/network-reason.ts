/** What went wrong on the network, as the second half of a sentence about a server. */
import { type Text, text } from "../../core/text.ts";
import { UNKNOWN_AUTHORITY } from "../../node/http.ts";
import { verbatim } from "./problem.ts";

export function networkReason(error: Error): Text {
  const code = (error as NodeJS.ErrnoException).code;
  // Connecting to several addresses of one host fails with one error for each.
  const inner = error instanceof AggregateError ? (error.errors[0] as Error | undefined) : undefined;
  if (error.name === "AbortError" || error.name === "TimeoutError") return text("it did not answer in time");
  if (code === "ECONNREFUSED") return text("nothing listens there (connection refused)");
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return text("its host name cannot be found");
  if (code === "ECONNRESET" || code === "EPIPE") return text("it closed the connection");
  if (UNKNOWN_AUTHORITY.has(code ?? ""))
    return text("this machine does not trust its certificate's authority (NODE_EXTRA_CA_CERTS can name it)");
  return verbatim(error.message || inner?.message || code || "unknown reason");
}
