/**
 * The upload of the script, part by part as Cloudflare documents it and wrangler sends it:
 * https://developers.cloudflare.com/workers/configuration/multipart-upload-metadata/
 */
import type { CloudflareClient } from "./cloudflare.ts";
import { scriptTags } from "./marks.ts";
import type { WorkerBundle } from "./worker-bundle.ts";

const MODULE = "worker.js";
/** Bindings of these types that an upload does not name stay as they are: what somebody set by hand survives. */
const KEPT = ["plain_text", "json", "secret_text", "secret_key"];

export interface ScriptParts {
  variables: Readonly<Record<string, string>>;
  secrets: Readonly<Record<string, string>>;
  /** The tag of the migrations that the deployed script has; undefined for a new script. */
  migratedTo: string | undefined;
}

/** The JSON part of the upload. */
export function scriptMetadata(bundle: WorkerBundle, { variables, secrets, migratedTo }: ScriptParts) {
  const done = bundle.migrations.findIndex(({ tag }) => tag === migratedTo);
  const steps = bundle.migrations.slice(done + 1).map(({ tag: _, ...step }) => step);
  const old = done === -1 ? {} : { old_tag: migratedTo };
  return {
    main_module: MODULE,
    bindings: [
      ...Object.entries(variables).map(([name, text]) => ({ type: "plain_text", name, text })),
      ...Object.entries(secrets).map(([name, text]) => ({ type: "secret_text", name, text })),
      ...bundle.bindings.map(({ name, className }) => ({
        type: "durable_object_namespace",
        name,
        class_name: className,
      })),
    ],
    compatibility_date: bundle.compatibilityDate,
    compatibility_flags: bundle.compatibilityFlags,
    ...(steps.length > 0 ? { migrations: { ...old, new_tag: bundle.migrationTag, steps } } : {}),
    keep_bindings: KEPT,
    observability: { enabled: bundle.observability },
    tags: scriptTags(bundle),
  };
}

export async function uploadScript(
  client: CloudflareClient,
  account: string,
  name: string,
  bundle: WorkerBundle,
  parts: ScriptParts,
): Promise<void> {
  const form = new FormData();
  // The client's own encoding would take the JSON apart into fields.
  form.append("metadata", JSON.stringify(scriptMetadata(bundle, parts)));
  form.append(
    MODULE,
    new Blob([new Uint8Array(bundle.code)], { type: "application/javascript+module" }),
    MODULE,
  );
  await client.put(`/accounts/${encodeURIComponent(account)}/workers/scripts/${encodeURIComponent(name)}`, {
    body: form,
  });
}
