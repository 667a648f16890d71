import { resolve } from "node:path";

// Where its packages are.
export default { turbopack: { root: resolve("../..") }, devIndicators: false };
