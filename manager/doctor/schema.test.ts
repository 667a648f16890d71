import { expect, test } from "vitest";
import { healthReport, jsonSchema, snapshot } from "./schema.ts";

/** `-u` writes them anew. */
test.each([
  ["docs/user/status.schema.json", jsonSchema(snapshot, "linkup status --json")],
  ["docs/user/health.schema.json", jsonSchema(healthReport, "linkup health --json")],
])("%s is what --json prints", async (path, schema) => {
  await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot(`../../${path}`);
});
