/** Writes these bundles (all of them without names) into a folder, which is dist/ by itself. */
export function bundle(names?: readonly string[], folder?: string): Promise<unknown>;
