/** For `npm run coverage`: programs that tests start write down what they ran. Vitest's own processes do so by other means. */
const { LINKUP_COVERAGE } = process.env;
if (LINKUP_COVERAGE) process.env.NODE_V8_COVERAGE = LINKUP_COVERAGE;
