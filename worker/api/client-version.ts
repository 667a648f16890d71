/** v1 clients send their version; those below the minimum are told to upgrade. */
const MINIMUM_VERSION = [2, 1, 0] as const;

/** The error for an `x-linkup-version` header; undefined for an accepted one. Pre-releases are always accepted. */
export function versionProblem(header: string | null): string | undefined {
  if (header === null) return "No x-linkup-version header, please upgrade your Linkup CLI.";
  const match = /^v?(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/.exec(header.trim());
  if (!match) return "Invalid x-linkup-version header.";
  if (match[4] !== undefined) return undefined;
  for (const [index, least] of MINIMUM_VERSION.entries()) {
    const part = Number(match[index + 1]);
    if (part > least) return undefined;
    if (part < least) return "Your Linkup CLI is outdated, please upgrade to the latest version.";
  }
  return undefined;
}
