/** The linkup.yaml that a newcomer starts from. */
import { SCHEMA_URL } from "../../core/config/json-schema.ts";
import { t } from "../words.ts";

export function configTemplate(): string {
  return `# yaml-language-server: $schema=${SCHEMA_URL}
${comment(t("Linkup: which services there are, and which host names they serve."))}
linkup:
${comment(t("Where the Linkup Worker answers. Its token is better not written here:"), 2)}
${comment(t('the command "Linkup: Set Worker Token…" keeps it in secret storage.'), 2)}
  worker_url: https://linkup.example.com

services:
${comment(t("Each service has a deployed copy that all share, and one on your machine."), 2)}
  - name: web
    remote: https://web.example.com
    local: http://localhost:3000
  - name: api
    remote: https://api.example.com
    local: http://localhost:3001

domains:
${comment(t("A session named slim-gecko is at https://slim-gecko.example.com."), 2)}
  - domain: example.com
    default_service: web
    routes:
      - path: ^/api/
        service: api
`;
}

function comment(text: string, indent = 0): string {
  return `${" ".repeat(indent)}# ${text}`;
}
