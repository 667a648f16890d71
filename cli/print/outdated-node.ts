import { engines } from "../../package.json";

const OLDEST_NODE = Number.parseInt(engines.node.replace(/^>=/, ""), 10);

/**
 * What to say, with its newline, of an error that is there because this version of Node (`20.1.0`) lacks what Linkup calls;
 * undefined for any other.
 */
export function outdatedNode(version: string, error: unknown, json: boolean): string | undefined {
  const isMissing =
    error instanceof TypeError || error instanceof ReferenceError || error instanceof SyntaxError;
  if (!isMissing || Number.parseInt(version, 10) >= OLDEST_NODE) return undefined;
  const message = `Linkup needs Node ${OLDEST_NODE} or newer, and this is Node ${version}.`;
  if (!json) return `Error: ${message}\n`;
  return `${JSON.stringify({ problem: { code: "node-outdated", title: "Node is too old", message, actions: [] } })}\n`;
}
