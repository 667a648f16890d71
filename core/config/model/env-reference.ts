/** Environment variables that a value in linkup.yaml may name. */

/** `${env:NAME}` */
export const ENV_REFERENCE = /\$\{env:([^}]*)\}/g;

/** Other variables may hold secrets that are no business of a repository's. */
export function isReadable(variable: string): boolean {
  return variable.startsWith("LINKUP_");
}
