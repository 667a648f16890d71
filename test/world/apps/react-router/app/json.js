import { json } from "./answers.mjs";

export const loader = () => json("react-router");
