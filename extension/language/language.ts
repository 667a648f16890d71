/** All that knows YAML, as one file that is read after activation. */
export { expandEnv, parseConfig } from "../../core/config/config.ts";
export { findServices } from "../../manager/found-services/find-services.ts";
export { registerLanguage } from "./register.ts";
