/** Clients of the first API say their version, and old ones are told to upgrade. */
const MINIMUM = [2, 1, 0] as const;

/** What is wrong with the `x-linkup-version` header; undefined when nothing is. Pre-releases always pass. */
export function versionProblem(header: string | null): string | undefined {
  if (header === null) return "No x-linkup-version header, please upgrade your Linkup CLI.";
  const match = /^v?(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/.exec(header.trim());
  if (!match) return "Invalid x-linkup-version header.";
  if (match[4] !== undefined) return undefined;
  for (const [index, least] of MINIMUM.entries()) {
    const part = Number(match[index + 1]);
    if (part > least) return undefined;
    if (part < least) return "Your Linkup CLI is outdated, please upgrade to the latest version.";
  }
  return undefined;
}
