/** Linkup's own version. Apart from what commands need, so that help and completion load nothing else. */
import { version } from "../package.json";

export { version };
