import { release } from "./answers.mjs";

export const loader = () => release();
