/** The request that creates a preview. */
import type { Config } from "../../core/config/model/config-model.ts";
import { serializeRouting, type UpsertRequest } from "../../core/session/session-document.ts";
import { checkGivenLocations, ownConfig } from "../model/intents.ts";
import { upsertRequest } from "../model/session-documents.ts";

/** Of a `CreateRequest`. */
export interface PreviewContent {
  name?: string | null;
  locations: Record<string, string>;
  expiresIn?: number;
}

/** Throws a LinkupError for a location that is no URL, or of an unknown service. */
export function previewUpsert(
  config: Config,
  { name = null, locations, expiresIn }: PreviewContent,
): UpsertRequest {
  checkGivenLocations("preview", config, locations);
  const preview = { kind: "preview" as const, name, locations, targets: {}, session_token: "" };
  return {
    ...upsertRequest({ ...preview, config: ownConfig(preview, config) }, undefined),
    ...(expiresIn === undefined ? {} : { expires_in: expiresIn }),
  };
}

/** As JSON, without sending it: for callers of the Worker's API by other means. */
export function previewRequest(config: Config, preview: PreviewContent): unknown {
  const request = previewUpsert(config, preview);
  return { ...request, ...serializeRouting(request) };
}
