/** Environment variables in the values of linkup.yaml. */

/**
 * Replaces every `${env:NAME}` by that variable's value. The names of variables that are not set come back
 * as `missing`, and the text is then undefined.
 */
export function expandEnv(
  text: string,
  env: Record<string, string | undefined>,
): { text: string | undefined; missing: string[] } {
  const missing: string[] = [];
  const expanded = text.replace(/\$\{env:([^}]*)\}/g, (_, name: string) => {
    const value = env[name];
    if (value === undefined || value === "") missing.push(name);
    return value ?? "";
  });
  return { text: missing.length === 0 ? expanded : undefined, missing };
}
