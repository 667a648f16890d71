/** All that knows YAML or the schema of linkup.yaml, as one file that is read after activation. */

export { expandEnv } from "../../core/config/expand-env.ts";
export { parseConfig } from "../../core/config/parse-config.ts";
export { httpOrigin } from "../../core/session/session-document.ts";
export { findServices } from "../../manager/discovery/find-services.ts";
export { configTemplate } from "../commands/template.ts";
export { registerLanguage } from "./editor/register-language.ts";
