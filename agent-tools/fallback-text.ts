/** Why a service is not served where another session has it, in words: for the terminal, the editor and agents. */
export function fallbackText(
  fallback: string,
  session: string,
  t: (message: string, ...values: (string | number)[]) => string,
): string {
  switch (fallback) {
    case "session-gone":
      return t("The session {0} does not exist any more.", session);
    case "session-not-shared":
      return t("The owner of the session {0} does not let others route to its services.", session);
    case "service-missing":
      return t("The session {0} has no such service.", session);
    case "session-loop":
      return t("The session {0} routes this service back to where the request came from.", session);
    default:
      return t("The session {0} cannot be reached.", session);
  }
}

/** Why a request of the log went to another copy than its service's target names. */
export function requestFallbackText(
  fallback: string,
  t: (message: string, ...values: (string | number)[]) => string,
): string {
  switch (fallback) {
    case "local-refused":
      return t("The local copy refused the connection, so the remote copy has answered.");
    case "local-ended":
      return t("The local copy ended before it answered, so the remote copy has answered.");
    case "local-not-found":
      return t("The local copy has answered 404, so the request went on to the remote copy.");
    case "body-not-kept":
      return t(
        "The local copy has answered 404; the request's body was too large to go on to the remote copy.",
      );
    default:
      return t("The remote copy has answered in place of the other session's: {0}", fallback);
  }
}
