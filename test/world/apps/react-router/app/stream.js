import { stream } from "./answers.mjs";

export const loader = () => stream();
