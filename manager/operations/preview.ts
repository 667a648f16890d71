/** The request that creates a preview. */
import type { Config } from "../../core/config/model/config-model.ts";
import { serializeRouting } from "../../core/session/session-document.ts";
import { upsertRequest } from "../model/documents.ts";
import { checkLocations, ownConfig } from "../model/intents.ts";

/** As JSON, without sending it: for whoever calls the Worker's API by other means. */
export function previewRequest(
  config: Config,
  name: string | undefined,
  locations: Record<string, string>,
): unknown {
  checkLocations(config, locations);
  const preview = { kind: "preview" as const, name: name ?? null, locations, targets: {}, session_token: "" };
  const request = upsertRequest({ ...preview, config: ownConfig(preview, config) }, undefined);
  return { ...request, ...serializeRouting(request) };
}
