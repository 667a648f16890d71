/** Marks the lines of the suite among all that reaches the console of VS Code. */
export const PREFIX = "[suite] ";
