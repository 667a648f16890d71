import { cookies } from "./answers.mjs";

export const loader = () => cookies();
