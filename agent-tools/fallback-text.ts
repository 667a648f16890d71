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
      return t("The session {0} has this service where it came from.", session);
    default:
      return t("The session {0} cannot be reached.", session);
  }
}
