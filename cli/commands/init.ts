/** `linkup init` */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { SCHEMA_URL } from "../../core/config/json-schema.ts";
import { LinkupError } from "../../manager/problem.ts";

export async function init(file: string, options: { json?: boolean }): Promise<void> {
  const path = resolve(file);
  try {
    await writeFile(path, TEMPLATE, { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new LinkupError("config-exists", `${path} is there already, and stays as it is.`);
  }
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ created: path })}\n`
      : `Created ${path}. Put your services into it, then: linkup start\n`,
  );
}

const TEMPLATE = `# yaml-language-server: $schema=${SCHEMA_URL}
# Linkup: which services there are, and which host names they serve.
linkup:
  # Where the Linkup Worker answers. Its token is better not written here: LINKUP_WORKER_TOKEN has it.
  worker_url: https://linkup.example.com

services:
  # Each service has a deployed copy that all share, and one on your machine.
  - name: web
    remote: https://web.example.com
    local: http://localhost:3000
  - name: api
    remote: https://api.example.com
    local: http://localhost:3001

domains:
  # A session named slim-gecko is at https://slim-gecko.example.com.
  - domain: example.com
    default_service: web
    routes:
      - path: ^/api/
        service: api
`;
