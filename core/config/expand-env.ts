/** Environment variables in the values of linkup.yaml. */
import { ENV_REFERENCE, isReadable } from "./model/env-reference.ts";

export interface ExpandedText {
  /** Undefined when a variable is missing or forbidden. */
  text: string | undefined;
  /** Names of variables that are not set. */
  missing: string[];
  /** Names of variables that a configuration may not read. */
  forbidden: string[];
  /** True when the text names a variable at all. */
  usesEnv: boolean;
}

/**
 * Replaces every `${env:NAME}` by that variable's value. Only variables whose names start with `LINKUP_` are read: a
 * cloned repository must not be able to name any other secret of its user's environment.
 */
export function expandEnv(text: string, env: Record<string, string | undefined>): ExpandedText {
  const missing: string[] = [];
  const forbidden: string[] = [];
  let usesEnv = false;
  const expanded = text.replace(ENV_REFERENCE, (_, name: string) => {
    usesEnv = true;
    const value = isReadable(name) ? env[name] : undefined;
    if (!isReadable(name)) forbidden.push(name);
    else if (!value) missing.push(name);
    return value ?? "";
  });
  const isWhole = missing.length + forbidden.length === 0;
  return { text: isWhole ? expanded : undefined, missing, forbidden, usesEnv };
}
